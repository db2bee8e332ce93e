/** `onEnd` of a kind is called with every run that has ended, however it has ended. */
import { describe, expect, it } from "@effect/vitest"
import { type JobId, JobKind, RunStore } from "charlotte"
import { Context, Deferred, Effect, HashMap, Layer, Logger, LogLevel, Option, Queue, Ref, Schema } from "effect"
import { poll } from "../../src/internal/RealClock.js"
import { whileTimePasses } from "./timePassing.js"

const definition = { success: Schema.Date, error: Schema.Struct({ why: Schema.String }) }

class Work extends JobKind.Tag<Work>()("work", {
  config: Schema.Struct({ does: Schema.Literal("complete", "fail", "die", "park", "hang") }),
  ...definition
}) {}

type Ended = JobKind.Run<typeof Work>

const run = ({
  config: { does },
  park
}: Parameters<Parameters<typeof Work.layer<never, undefined, undefined>>[0]["run"]>[0]) => {
  switch (does) {
    case "complete":
      return Effect.succeed(new Date(0))
    case "fail":
      return Effect.fail({ why: "because" })
    case "die":
      return Effect.dieMessage("no")
    case "park":
      return park({ reason: "waits", signal: "go" })
    case "hang":
      return Effect.never
  }
}

class Inbox extends Context.Tag("Inbox")<Inbox, Queue.Queue<Ended>>() {}

const inbox = Layer.effect(Inbox, Queue.unbounded<Ended>())

/** Puts every run that has ended into the inbox. */
const works = Work.layer({
  maxJobs: 2,
  run,
  onEnd: (run) => Effect.flatMap(Inbox, (inbox) => Queue.offer(inbox, run))
})

const statusIs = (id: JobId.JobId, status: string) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    poll(Effect.flatten(store.get(id)), { until: (run) => run.status === status, pause: 5, atMost: "60 seconds" })
  )

const record = Effect.flatMap(RunStore.RunStore, ({ subscribers }) =>
  Effect.flatMap(subscribers.list, (all) => Effect.fromNullable(all.find(({ name }) => name === "work.on-end")))
)

const quiet = Logger.withMinimumLogLevel(LogLevel.None)

describe("onEnd", () => {
  it.scoped(
    "is called with the decoded run, whether it completes, fails, or is stopped while it runs, waits or is parked",
    () =>
      Effect.gen(function* () {
        const ended = yield* Inbox
        const work = yield* Work
        const start = (does: "complete" | "fail" | "die" | "park" | "hang") => work.start({ does })
        const next = Effect.map(Queue.take(ended), ({ id, status }) => [id, status])

        const completed = yield* start("complete")
        expect(yield* Queue.take(ended)).toMatchObject({ id: completed, status: "completed", result: new Date(0) })
        const failed = yield* start("fail")
        expect(yield* Queue.take(ended)).toMatchObject({
          id: failed,
          status: "failed",
          error: { kind: "failure", error: { why: "because" } }
        })
        const died = yield* start("die")
        expect(yield* Queue.take(ended)).toMatchObject({ id: died, status: "failed", error: { kind: "defect" } })

        const running = yield* start("hang")
        yield* work.stop(running)
        expect(yield* next).toEqual([running, "cancelled"])
        const parked = yield* start("park")
        yield* statusIs(parked, "parked")
        yield* work.stop(parked)
        expect(yield* next).toEqual([parked, "cancelled"])
        const pending = yield* work.start({ does: "complete" }, { delay: "1 hour" })
        yield* work.stop(pending)
        expect(yield* next).toEqual([pending, "cancelled"])
        const queue = Effect.flatMap(Work.Producer, (producer) => producer.start({ does: "park" }, { delay: "1 hour" }))
        const queued = yield* queue
        yield* Effect.flatMap(Work.Producer, (producer) => producer.stop(queued))
        expect(yield* next).toEqual([queued, "cancelled"])
        expect(yield* Queue.size(ended)).toBe(0)
      }).pipe(quiet, Effect.provide(works.pipe(Layer.provideMerge(Layer.merge(RunStore.layerMemory, inbox)))))
  )

  it.scoped("is called for a run that ends as its manager takes over, and for one whose end it has not seen", () =>
    Effect.gen(function* () {
      const ended = yield* Inbox
      const { subscribers, ...runs } = yield* RunStore.RunStore
      const [left, unseen] = yield* Effect.scoped(
        Effect.gen(function* () {
          const services = yield* Layer.build(Work.layer({ run, onEnd: () => Effect.never }))
          const work = Context.get(services, Work)
          const left = yield* work.start({ does: "park" })
          yield* statusIs(left, "parked")
          yield* runs.wake(left)
          const unseen = yield* work.start({ does: "complete" })
          yield* work.await(unseen)
          return [left, unseen] as const
        })
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const services = yield* Layer.build(works)
          const all = [yield* Queue.take(ended)]
          yield* statusIs(left, "parked")
          yield* Context.get(services, Work).stop(left)
          all.push(yield* Queue.take(ended))
          expect(all.map(({ id, status }) => [id, status])).toEqual([
            [unseen, "completed"],
            [left, "cancelled"]
          ])
        })
      )
      expect(yield* subscribers.list).toMatchObject([{ name: "work.on-end", kinds: ["work"] }])
    }).pipe(quiet, Effect.provide(Layer.merge(RunStore.layerMemory, inbox)))
  )

  it.scoped("holds up no other run while it fails, and is called again until it succeeds", () =>
    Effect.gen(function* () {
      const calls = yield* Ref.make(HashMap.empty<JobId.JobId, number>())
      const both = yield* Deferred.make<void>()
      const ended = yield* Queue.unbounded<Ended>()
      const services = yield* Layer.build(
        Work.layer({
          run,
          onEnd: (run) =>
            Effect.gen(function* () {
              const n = Option.getOrElse(HashMap.get(yield* Ref.get(calls), run.id), () => 0)
              yield* Ref.update(calls, HashMap.set(run.id, n + 1))
              if (run.status === "failed" && n === 0) return yield* Effect.fail("not yet")
              yield* Queue.offer(ended, run)
              if (n > 0) yield* Deferred.succeed(both, undefined)
            })
        })
      )
      const work = Context.get(services, Work)
      const failed = yield* work.start({ does: "fail" })
      yield* work.await(failed)
      yield* poll(record, { until: ({ failing }) => failing === 1, pause: 5, atMost: "60 seconds" })
      const completed = yield* work.start({ does: "complete" })
      expect(yield* Queue.take(ended)).toMatchObject({ id: completed })
      yield* whileTimePasses(Deferred.await(both))
      expect(yield* Queue.take(ended)).toMatchObject({ id: failed })
    }).pipe(quiet, Effect.provide(RunStore.layerMemory))
  )

  it.scoped("skips a run that no longer decodes, and counts it", () =>
    Effect.gen(function* () {
      class Changed extends JobKind.Tag<Changed>()("work", {
        config: Schema.Struct({ does: Schema.Literal("nothing") }),
        ...definition
      }) {}
      const ended = yield* Queue.unbounded<unknown>()
      const id = yield* Effect.scoped(
        Effect.gen(function* () {
          const services = yield* Layer.build(Work.layer({ run, onEnd: () => Effect.never }))
          const work = Context.get(services, Work)
          const id = yield* work.start({ does: "complete" })
          yield* work.await(id)
          return id
        })
      )
      const changed = yield* Layer.build(
        Changed.layer({ run: () => Effect.succeed(new Date(0)), onEnd: (run) => Queue.offer(ended, run.id) })
      )
      const next = yield* Context.get(changed, Changed).start({ does: "nothing" })
      expect(yield* Queue.take(ended)).toBe(next)
      expect(id).not.toBe(next)
      yield* poll(record, { until: ({ behind }) => behind === 0, pause: 5, atMost: "60 seconds" })
      expect(yield* record).toMatchObject({ skipped: 1, failing: 0, aside: 0 })
    }).pipe(quiet, Effect.provide(RunStore.layerMemory))
  )
})
