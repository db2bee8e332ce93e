/**
 * A database that another connection keeps locked for up to half a minute.
 */
import { describe, expect, it } from "@effect/vitest"
import { Database, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Chunk, Effect, Fiber, Layer, Stream } from "effect"
import { performance } from "node:perf_hooks"
import { RealClock } from "../../src/internal/RealClock.js"
import { lock } from "../support/foreign.js"
import * as HurriedClock from "../support/hurriedClock.js"
import { config } from "../support/jobs.js"
import { isLong } from "../support/long.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { isSound } from "./sound.js"

const layer = (filename: string) =>
  JobManager.layer().pipe(
    Layer.provideMerge(Layer.merge(RunStore.layer, ScriptedOrchestrator.layer())),
    Layer.provideMerge(Database.layer({ filename })),
    // Retry delays are simulated; in the long form they are real.
    Layer.provideMerge(isLong ? Layer.empty : HurriedClock.layer)
  )

/** All blocks of the event loop of more than 5 ms, in milliseconds. */
const stalls = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const found: Array<number> = []
    let last = performance.now()
    const beat = setInterval(() => {
      const now = performance.now()
      if (now - last > 5) found.push(now - last)
      last = now
    }, 0)
    const result = yield* Effect.ensuring(
      effect,
      Effect.sync(() => clearInterval(beat))
    )
    return { result, stalls: found.sort((a, b) => a - b) }
  })

describe("a database lock of another connection, held for", () => {
  for (const seconds of [3, 10, 30]) {
    it.scoped(
      `${seconds} seconds: a start ${seconds < 5 ? "waits" : "fails after five"}, running jobs continue, and their ends are recorded`,
      () =>
        Effect.flatMap(TemporaryDirectory.file("jobs.db"), (filename) =>
          Effect.gen(function* () {
            const manager = yield* JobManager.JobManager
            const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
            const { now, sleep } = yield* RealClock
            const id = yield* manager.start(config)
            const unlock = yield* lock(filename, "BEGIN IMMEDIATE")
            const begun = yield* now
            let isLocked = true
            const holding = yield* Effect.fork(
              Effect.zipRight(
                sleep(seconds * 1_000),
                Effect.suspend(() => {
                  isLocked = false
                  return unlock
                })
              )
            )
            yield* send(id, ...["a", "b", "c"].map((type) => Step.emit({ type })), Step.succeed("done"))
            const starting = Effect.map(Effect.either(manager.start(config)), (started) => ({ started, isLocked }))
            const watched = yield* stalls(Effect.all([starting, manager.await(id)], { concurrency: "unbounded" }))
            const [{ isLocked: wasLocked, started }, run] = watched.result
            if (seconds < 5) {
              expect(started._tag).toBe("Right")
              expect(wasLocked).toBe(false)
            } else {
              expect(started).toMatchObject({ _tag: "Left", left: { _tag: "StoreError", reason: "busy" } })
              expect(wasLocked).toBe(true)
            }
            expect(run.status).toBe("completed")
            expect((yield* now) - begun).toBeGreaterThanOrEqual(seconds * 1_000)
            const events = Chunk.toReadonlyArray(yield* Stream.runCollect(manager.events(id)))
            expect(events.map(({ type }) => type)).toEqual(["job.started", "a", "b", "c", "job.completed"])
            yield* Fiber.join(holding)
            yield* isSound()

            // A loaded machine may stall the event loop too, but not in most of the samples.
            expect(watched.stalls.length).toBeGreaterThan(20)
            expect(watched.stalls[Math.floor(watched.stalls.length / 2)]).toBeLessThan(50)
          }).pipe(Effect.provide(layer(filename)))
        ),
      300_000
    )
  }
})
