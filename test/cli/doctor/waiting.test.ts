import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, JobKind, RunStore } from "charlotte"
import { ConfigProvider, Effect, Layer, Schema } from "effect"
import { mkdirSync } from "node:fs"
import { charlotte } from "../../../src/cli/parser/commands.js"
import { GitEnvironmentRef } from "../../../src/git/GitEnvironment.js"
import { sandbox } from "../../support/Repository.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as Capture from "../Capture.js"

class Email extends JobKind.Tag<Email>()("email", { config: Schema.Struct({ to: Schema.String }) }) {}

const doctor = (directory: string) =>
  Effect.gen(function* () {
    const { environment } = yield* sandbox
    const { out } = yield* Capture.run(charlotte, ["doctor"]).pipe(
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["CHARLOTTE_HOME", directory]]))),
      Effect.provideService(GitEnvironmentRef, environment)
    )
    return out
  })

describe("charlotte doctor", () => {
  it.scoped("reports that the runs of a kind wait while no process manages them", () =>
    Effect.gen(function* () {
      const directory = `${yield* TemporaryDirectory.make}/home`
      mkdirSync(directory, { mode: 0o700 })
      const store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename: `${directory}/charlotte.db` })))
      const started = Effect.flatMap(Email.Producer, ({ startMany }) => startMany([{ to: "ada" }, { to: "bea" }]))
      yield* Effect.provide(started, Layer.provide(Email.producer, store))
      const text = "2 runs of kind email wait, and no process manages them"
      expect(yield* doctor(directory)).toContain(text)
      const working = Email.layer({ run: () => Effect.never, maxJobs: 1 })
      const managed = Effect.provide(doctor(directory), Layer.provide(Layer.discard(working), store))
      expect(yield* managed).not.toContain("no process manages them")
    })
  )

  it.scoped("names the kinds that are paused, and who has paused them", () =>
    Effect.gen(function* () {
      const directory = `${yield* TemporaryDirectory.make}/home`
      mkdirSync(directory, { mode: 0o700 })
      const store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename: `${directory}/charlotte.db` })))
      const working = Email.layer({ run: () => Effect.never })
      const set = (what: "pause" | "unpause") =>
        Effect.flatMap(Email, (emails) => emails[what]({ by: "ada" })).pipe(
          Effect.provide(Layer.provide(working, store))
        )
      yield* set("pause")
      const paused = yield* doctor(directory)
      expect(paused).toMatch(/kind email is paused since .*, by ada: none of its jobs begins/)
      expect(paused).toContain("charlotte unpause email")
      yield* set("unpause")
      expect(yield* doctor(directory)).not.toContain("is paused")
    })
  )

  it.scoped("names the nodes of a cluster that define the notices of a name in different ways", () =>
    Effect.gen(function* () {
      const directory = `${yield* TemporaryDirectory.make}/home`
      mkdirSync(directory, { mode: 0o700 })
      const store = RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename: `${directory}/charlotte.db` })))
      const joined = (n: number, definitions?: { readonly [name: string]: string }) =>
        Effect.gen(function* () {
          const { cluster } = yield* RunStore.RunStore
          const sql = yield* SqlClient.SqlClient
          const address = `10.0.0.${n}:7433`
          yield* cluster.join({ id: address, kind: "tasks", address, pid: n, machine: "m", capacity: 1, definitions })
          // As if it were seen for an hour from now on.
          yield* sql`UPDATE charlotte_nodes SET seen_at = seen_at + 3600000 WHERE id = ${address}`
        }).pipe(Effect.provide(store))
      yield* joined(1)
      yield* joined(2, { "notify.phone": "a", "notify.desk": "c" })
      yield* joined(3, { "notify.phone": "a", "notify.desk": "c" })
      expect(yield* doctor(directory)).not.toContain("is defined in")
      yield* joined(4, { "notify.phone": "b" })
      const said = yield* doctor(directory)
      expect(said).toContain(
        "notify.phone is defined in 2 ways: by 10.0.0.2:7433 and 10.0.0.3:7433, and by 10.0.0.4:7433"
      )
      expect(said).not.toContain("notify.desk")
    })
  )
})
