/** `examples/app` on PostgreSQL, by its one setting: two processes that are killed, and its README from top to bottom. */
import { describe, expect, it } from "@effect/vitest"
import { Database } from "charlotte"
import { Effect } from "effect"
import * as kills from "../examples/kills.js"
import * as walk from "../examples/walk.js"
import * as TestDatabase from "./database.js"

describe("the application of two processes, on PostgreSQL", () => {
  it.scopedLive("loses no order and sends no receipt twice while both are killed in turn", () =>
    Effect.flatMap(TestDatabase.make, (url) =>
      kills.scene({ DATABASE_URL: url }, () => Database.layerPostgres({ url }))
    )
  )

  it.scopedLive("has a README whose commands do what it shows", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      expect(yield* walk.run(walk.onPostgres(url))).toEqual([])
    })
  )
})
