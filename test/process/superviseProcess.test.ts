import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { existsSync } from "node:fs"
import { StoreError } from "../../src/domain/errors.js"
import { Exited } from "../../src/process/ProcessOutcome.js"
import * as ProcessRunner from "../../src/process/ProcessRunner.js"
import { RunStore } from "../../src/store/RunStore.js"
import { directory, jobId, layer, script } from "./workshop.js"

const failure = (reason: StoreError["reason"]) =>
  new StoreError({ operation: "record a process", reason, cause: new Error(reason) })

describe("a process that cannot be recorded for a while", () => {
  for (const reason of ["full", "busy", "readonly", "unreachable"] as const) {
    it.scopedLive(`starts and ends with its record once it can be: ${reason}`, () =>
      Effect.gen(function* () {
        const { childProcesses } = yield* RunStore
        const closed = yield* Deferred.make<void>()
        const failed = new Set<string>()
        const failOnce = <A>(what: string, write: Effect.Effect<A, StoreError>) =>
          Effect.suspend(() => (failed.has(what) ? write : (failed.add(what), failure(reason))))
        const runner = yield* ProcessRunner.make({
          ...childProcesses,
          open: (process) => failOnce("open", childProcesses.open(process)),
          spawned: (process) => failOnce("spawned", childProcesses.spawned(process)),
          close: (process) =>
            Effect.tap(failOnce("close", childProcesses.close(process)), () => Deferred.succeed(closed, undefined))
        })
        const { outcome } = yield* runner.run(script(yield* directory, "exit 3"))
        expect(outcome).toEqual(Exited({ code: 3 }))
        yield* Deferred.await(closed)
        expect([...failed]).toEqual(["open", "spawned", "close"])
        expect(yield* childProcesses.unclosed(jobId)).toEqual([])
      }).pipe(Effect.provide(layer))
    )
  }

  it.scopedLive("does not start if it is stopped meanwhile, and leaves no record", () =>
    Effect.gen(function* () {
      const { childProcesses } = yield* RunStore
      const asked = yield* Deferred.make<void>()
      const closed = yield* Deferred.make<void>()
      const runner = yield* ProcessRunner.make({
        ...childProcesses,
        // As where the answer to a commit was lost.
        open: (process) =>
          Effect.zipRight(childProcesses.open(process), failure("unreachable")).pipe(
            Effect.ensuring(Deferred.succeed(asked, undefined))
          ),
        close: (process) => Effect.zipLeft(childProcesses.close(process), Deferred.succeed(closed, undefined))
      })
      const home = yield* directory
      const running = yield* Effect.fork(runner.run(script(home, `touch ${home}/started`)))
      yield* Deferred.await(asked)
      yield* Fiber.interrupt(running)
      yield* Deferred.await(closed)
      expect(yield* childProcesses.unclosed(jobId)).toEqual([])
      expect(existsSync(`${home}/started`)).toBe(false)
    }).pipe(Effect.provide(layer))
  )
})
