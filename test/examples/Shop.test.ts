/** `examples/app` on SQLite: two processes that are killed, and its README from top to bottom. */
import { describe, expect, it } from "@effect/vitest"
import { Database } from "charlotte"
import { Effect } from "effect"
import { join } from "node:path"
import * as kills from "./kills.js"
import * as walk from "./walk.js"

describe("the application of two processes, on SQLite", () => {
  it.scopedLive("loses no order and sends no receipt twice while both are killed in turn", () =>
    kills.scene({}, (directory) => Database.layer({ filename: join(directory, "shop.db") }))
  )

  it.scopedLive("has a README whose commands do what it shows", () =>
    Effect.gen(function* () {
      expect(yield* walk.run(walk.page)).toEqual([])
    })
  )
})
