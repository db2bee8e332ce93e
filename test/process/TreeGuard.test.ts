/**
 * What a runner says to the guard of its processes.
 */
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { StoreError } from "../../src/domain/errors.js"
import * as ProcessRunner from "../../src/process/ProcessRunner.js"
import { TreeGuard } from "../../src/process/TreeGuard.js"
import type { ChildProcessStore } from "../../src/store/port/RunStoreService.js"
import { RunStore } from "../../src/store/RunStore.js"
import { directory, jobId, layer, script } from "./workshop.js"

/** A runner, and what it says to its guard and writes to the store, in order. */
const guarded = ({
  open,
  watch = Effect.void
}: {
  readonly watch?: Effect.Effect<void>
  readonly open?: ChildProcessStore["open"]
} = {}) =>
  Effect.gen(function* () {
    const { childProcesses } = yield* RunStore
    const said: Array<string> = []
    const say = (what: string) => Effect.sync(() => void said.push(what))
    const attempts: ChildProcessStore = {
      ...childProcesses,
      open: (process) => Effect.zipRight(say("open"), (open ?? childProcesses.open)(process))
    }
    const runner = yield* Effect.provideService(ProcessRunner.make(attempts), TreeGuard, {
      watch: () => Effect.zipRight(say("watch"), watch),
      spawned: ({ pid, startTime }) => say(pid > 0 && startTime !== undefined ? "spawned" : "spawned nothing"),
      release: () => say("release")
    })
    return { runner, said }
  })

describe("the guard of processes", () => {
  it.scopedLive("has each process from before its record until nothing of it is left", () =>
    Effect.gen(function* () {
      const { runner, said } = yield* guarded()
      yield* runner.run(script(yield* directory, "sleep 0.01 & exit 3"))
      expect(said).toEqual(["watch", "open", "spawned", "release"])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("lets go of a process that could not start or be recorded", () =>
    Effect.gen(function* () {
      const { runner, said } = yield* guarded()
      yield* runner.run({ ...script(yield* directory, ""), command: ["no-such-command-here"] })
      expect(said).toEqual(["watch", "open", "release"])

      const error = new StoreError({ operation: "record a process", reason: "corrupt", cause: new Error("damaged") })
      const failing = yield* guarded({ open: () => error })
      expect(yield* Effect.flip(failing.runner.run(script(yield* directory, "true")))).toBe(error)
      expect(failing.said).toEqual(["watch", "open", "release"])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("is waited for, and a stop meanwhile starts and records nothing", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const { runner, said } = yield* guarded({
        watch: Effect.zipRight(Deferred.succeed(asked, undefined), Effect.never)
      })
      const running = yield* Effect.fork(runner.run(script(yield* directory, "true")))
      yield* Deferred.await(asked)
      yield* Fiber.interrupt(running)
      expect(said).toEqual(["watch"])
      expect(yield* Effect.flatMap(RunStore, (store) => store.childProcesses.unclosed(jobId))).toEqual([])
    }).pipe(Effect.provide(layer))
  )
})
