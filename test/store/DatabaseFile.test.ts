/** A database file that is taken away from under a running store. */
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer, Logger } from "effect"
import { copyFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { WallClock } from "../../src/store/WallClock.js"
import * as HurriedClock from "../support/hurriedClock.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { created, id, newRun, record } from "./runs.js"

const layer = (filename: string) => RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))

const withStore = <A, E>(use: (filename: string) => Effect.Effect<A, E, RunStore.RunStore>) =>
  Effect.flatMap(TemporaryDirectory.file("test.db"), (filename) =>
    Effect.zipRight(created(1), use(filename)).pipe(Effect.provide(layer(filename)))
  )

const takenAway: Record<string, (filename: string) => void> = {
  deleted: (filename) => rmSync(filename),
  "deleted with its directory": (filename) => rmSync(dirname(filename), { recursive: true }),
  "moved away": (filename) => renameSync(filename, `${filename}.old`),
  "replaced by a copy of itself": (filename) => {
    copyFileSync(filename, `${filename}.copy`)
    renameSync(`${filename}.copy`, filename)
  },
  "replaced by another file": (filename) => {
    rmSync(filename)
    writeFileSync(filename, "")
  }
}

describe("a store whose file was", () => {
  for (const [what, takeAway] of Object.entries(takenAway)) {
    it.scoped(`${what} refuses the next write, and says so`, () =>
      withStore((filename) =>
        Effect.gen(function* () {
          const store = yield* RunStore.RunStore
          takeAway(filename)
          const error = yield* Effect.flip(store.create(newRun(2)))
          expect(error).toMatchObject({ _tag: "StoreError", reason: "replaced" })
          expect(error.message).toContain(filename)
          expect(error.message).toContain("put it back and start again")
          // It is looked at each time.
          yield* Effect.flip(store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: newRun(1).at }))
        })
      )
    )
  }

  it.scoped("moved away and put back goes on", () =>
    withStore((filename) =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        renameSync(filename, `${filename}.old`)
        yield* Effect.flip(store.create(newRun(2)))
        renameSync(`${filename}.old`, filename)
        yield* store.create(newRun(2))
        expect((yield* record(id(2))).status).toBe("running")
      })
    )
  )

  it.scoped("deleted is noticed within five seconds, without a write", () =>
    Effect.gen(function* () {
      const { now } = yield* WallClock
      const noticed = yield* Effect.makeLatch()
      const logger = Logger.make(({ message }) => {
        if (String(message).includes("was deleted while it was open")) noticed.unsafeOpen()
      })
      yield* withStore((filename) =>
        Effect.gen(function* () {
          rmSync(filename)
          const begun = yield* now
          yield* noticed.await
          expect((yield* now) - begun).toBeLessThanOrEqual(5_000)
        })
      ).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
    }).pipe(Effect.provide(HurriedClock.layer))
  )

  it.effect("never there, because it is in memory, goes on", () => created(1).pipe(Effect.provide(layer(":memory:"))))
})
