/** What events cost in memory: those that wait to be written, and those of others. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { Context, DateTime, Effect, Fiber, Layer, Runtime, Schema, Stream } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as EmitBuffer from "../../src/manager/internal/EmitBuffer.js"
import { makeNotifier } from "../../src/store/port/ChangeNotifier.js"

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

const megabyte = 1024 * 1024

describe("events that wait to be written", () => {
  it.live("are 4 MiB at the most, of 1,000 of 1 MB, and all are written in order", () =>
    Effect.gen(function* () {
      const runtime = yield* Effect.runtime()
      let accepted = 0
      let most = 0
      const written: Array<string> = []
      const buffer = yield* EmitBuffer.make({
        fork: (effect) => Effect.sync(() => void Runtime.runFork(runtime)(effect)),
        beforeWait: Effect.void,
        closed: Effect.dieMessage("closed"),
        write: (events) =>
          Effect.gen(function* () {
            yield* Effect.yieldNow()
            most = Math.max(most, accepted - written.length)
            written.push(...events.map(({ type }) => type))
          })
      })
      const payload = "x".repeat(1_000_000)
      for (let n = 0; n < 1_000; n++) {
        yield* buffer.offer({ at: DateTime.unsafeMake(0), type: String(n), payload })
        accepted += 1
      }
      yield* buffer.flush
      expect(written).toEqual(Array.from({ length: 1_000 }, (_, n) => String(n)))
      // A character takes two bytes at the most.
      expect(most * 2 * payload.length).toBeLessThanOrEqual(4 * megabyte)
    })
  )
})

describe("a subscription to all events of an idle kind", () => {
  it.scopedLive("does not grow by 10,000 events of another kind", () =>
    Effect.gen(function* () {
      const store = Context.get(yield* Layer.build(RunStore.layerMemory), RunStore.RunStore)
      const signal = makeNotifier()
      let reads = 0
      const busy: RunStore.Service = {
        ...store,
        changes: () => Effect.succeed(signal),
        allEvents: ({ after }) =>
          Effect.sync(() => ({ events: [], cursor: after + Math.min(reads++, 1), more: false, size: 0 }))
      }
      const manager = yield* Effect.provideService(
        JobManager.make({ kind: "idle", config: Schema.Number, orchestrator: { run: () => Effect.void } }),
        RunStore.RunStore,
        busy
      )
      const watching = yield* Effect.fork(Stream.runDrain(manager.allEvents()))
      const wakeUps = (count: number) =>
        Effect.repeatN(Effect.zipRight(signal.wake, Effect.repeatN(Effect.yieldNow(), 10)), count - 1)
      yield* wakeUps(1_000)
      const before = yield* heap
      reads = 1
      yield* wakeUps(10_000)
      const after = yield* heap
      // It has read again each time, and found nothing.
      expect(reads).toBeGreaterThan(5_000)
      expect(after - before).toBeLessThan(3 * megabyte)
      yield* Fiber.interrupt(watching)
    })
  )
})
