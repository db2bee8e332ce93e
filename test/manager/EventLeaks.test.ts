import { expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Effect, Fiber, HashSet, Layer, Stream, Supervisor } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { seen, startJob } from "./lives.js"

const cycles = 2_000
const limit = 5 * 1024 * 1024

setFlagsFromString("--expose-gc")
const collectGarbage: unknown = runInNewContext("gc")

/** The bytes in use when all garbage is collected. */
const heap = Effect.gen(function* () {
  for (let i = 0; i < 3; i++) {
    if (typeof collectGarbage === "function") collectGarbage()
    yield* Effect.sleep(1)
  }
  return process.memoryUsage().heapUsed
})

const layer = JobManager.layer().pipe(
  Layer.provideMerge(Layer.merge(ScriptedOrchestrator.layer(), RunStore.layerMemory))
)

it.scopedLive(
  `${cycles} times of watching a job, all jobs, or waiting for one, and going away, leave nothing behind`,
  () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const store = yield* RunStore.RunStore
      const id = yield* startJob
      yield* send(id, (job) => Effect.replicateEffect(job.emit({ type: "event" }), 300, { discard: true }))
      yield* send(id, Step.emit({ type: "last" }))
      yield* seen(id, "last")

      /** Reads to where nothing more comes, waits there, and goes. */
      const watch = (after: number) =>
        Effect.gen(function* () {
          const waiters = yield* Effect.forEach(
            [
              Stream.runDrain(manager.events(id, { after })),
              Stream.runDrain(manager.allEvents({ after })),
              Effect.asVoid(manager.await(id))
            ],
            (wait) => Effect.fork(wait)
          )
          yield* Effect.sleep(0)
          if (after === 0) yield* send(id, Step.emit({ type: "woken" }))
          yield* Fiber.interruptAll(waiters)
        })
      const watching = (cycles: number) =>
        Effect.forEach(Array.from({ length: cycles }), (_, i) => watch(i % 50 === 0 ? 0 : 300), { discard: true })

      yield* watching(300)
      const supervisor = yield* Supervisor.track
      const roots = HashSet.size(HashSet.fromIterable(yield* Fiber.roots))
      const before = yield* heap
      yield* watching(cycles).pipe(Effect.supervised(supervisor))
      const growth = (yield* heap) - before

      // A signal without holders is forgotten; the next subscriber gets a new one.
      const versions = yield* Effect.forEach(
        [store.changes(id), store.changes()],
        Effect.flatMap((signal) => signal.version)
      )
      expect(versions).toEqual([0, 0])

      expect(yield* supervisor.value).toEqual([])
      expect(HashSet.size(HashSet.fromIterable(yield* Fiber.roots))).toBe(roots)
      process.stdout.write(`${cycles} times of watching: the heap grew by ${Math.round(growth / 1024)} KiB\n`)
      expect(growth).toBeLessThan(limit)
    }).pipe(Effect.provide(layer)),
  300_000
)
