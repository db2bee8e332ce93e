import { expect, it } from "@effect/vitest"
import { type JobEvent, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Effect, FastCheck, Fiber, Layer, Queue, Stream } from "effect"
import { startJob } from "./lives.js"

const { constant, integer, nat, oneof, record } = FastCheck

/** What happens, one after another, while a job runs and after it has ended. */
const happenings = FastCheck.array(
  oneof(
    { weight: 4, arbitrary: record({ what: constant("emit" as const), count: integer({ min: 1, max: 300 }) }) },
    { weight: 4, arbitrary: record({ what: constant("subscribe" as const), after: integer({ min: 0, max: 700 }) }) },
    // One subscriber may read so many more.
    {
      weight: 6,
      arbitrary: record({ what: constant("read" as const), who: nat(), count: integer({ min: 1, max: 400 }) })
    },
    { weight: 2, arbitrary: record({ what: constant("pause" as const), millis: integer({ min: 0, max: 3 }) }) },
    { weight: 1, arbitrary: record({ what: constant("end" as const) }) }
  ),
  { maxLength: 30 }
)

/** A subscriber that reads as fast as it can. */
const subscribe = <E>(events: Stream.Stream<JobEvent.JobEvent, E>) =>
  Effect.gen(function* () {
    const seen: Array<number> = []
    const permissions = yield* Queue.unbounded<void>()
    let free = false
    const fiber = yield* Effect.fork(
      Stream.runForEach(events, ({ seq }) => {
        seen.push(seq)
        return free ? Effect.void : Queue.take(permissions)
      })
    )
    const read = (count: number) => Queue.offerAll(permissions, Array.from({ length: count }))
    const rest = Effect.suspend(() => {
      free = true
      return Effect.zipRight(read(1), Effect.as(Fiber.join(fiber), seen))
    })
    return { read, rest }
  })

const layer = JobManager.layer().pipe(
  Layer.provideMerge(Layer.merge(ScriptedOrchestrator.layer(), RunStore.layerMemory))
)

it.scopedLive.prop(
  "every subscriber sees all events after his number, each once and in order, and then the end",
  { happenings },
  ({ happenings }) =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const id = yield* startJob
      const subscribers: Array<Effect.Effect.Success<ReturnType<typeof subscribe>> & { readonly after: number }> = []
      let emitted = 0
      let ended = false

      for (const happening of happenings) {
        if (happening.what === "emit" && !ended) {
          const { count } = happening
          emitted += count
          yield* send(id, (job) => Effect.replicateEffect(job.emit({ type: "event" }), count, { discard: true }))
        }
        if (happening.what === "subscribe") {
          const { after } = happening
          subscribers.push({ ...(yield* subscribe(manager.events(id, { after }))), after })
        }
        if (happening.what === "read") {
          yield* subscribers[happening.who % subscribers.length]?.read(happening.count) ?? Effect.void
        }
        if (happening.what === "pause") yield* Effect.sleep(happening.millis)
        if (happening.what === "end") {
          yield* send(id, Step.succeed(1))
          ended = true
        }
      }
      yield* send(id, Step.succeed(1))
      yield* manager.await(id)

      for (const { after, rest } of subscribers) {
        const expected = Array.from({ length: Math.max(0, emitted + 2 - after) }, (_, i) => after + 1 + i)
        expect(yield* rest).toEqual(expected)
      }
    }).pipe(Effect.provide(layer)),
  { timeout: 300_000, fastCheck: { numRuns: 60 } }
)
