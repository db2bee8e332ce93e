/** Producers: they start, signal and stop jobs that a manager runs, in the same process or in another one. */
import { describe, expect, it } from "@effect/vitest"
import { Database, errors, type JobId, JobKind, Runs, RunStore } from "charlotte"
import {
  Chunk,
  Deferred,
  Effect,
  Either,
  Exit,
  Fiber,
  Layer,
  Logger,
  LogLevel,
  Option,
  Schema,
  Scope,
  Stream
} from "effect"
import { poll } from "../../src/internal/RealClock.js"
import { unknownId } from "../support/jobs.js"
import * as FailingSql from "../support/FailingSql.js"
import { databaseFile } from "./lives.js"

class Email extends JobKind.Tag<Email>()("email", {
  config: Schema.Struct({ to: Schema.String, waits: Schema.optionalWith(Schema.Boolean, { default: () => false }) }),
  success: Schema.Struct({ sentTo: Schema.String }),
  signals: { approve: Schema.Struct({ by: Schema.String }) },
  key: ({ to }) => to,
  labels: ({ to }) => ({ to }),
  maxQueued: 3
}) {}

class Report extends JobKind.Tag<Report>()("report", { config: Schema.Struct({}) }) {}

const sending = Email.layer({
  check: ({ to }) =>
    to === "nobody"
      ? new errors.InvalidJobConfig({ issues: [{ path: ["to"], message: "is nobody" }] })
      : Effect.succeed({}),
  run: ({ config: { to, waits }, park, signal }) =>
    Effect.gen(function* () {
      if (!waits) return { sentTo: to }
      const approval = yield* signal("approve")
      if (Option.isNone(approval)) return yield* park({ reason: "needs an approval", signal: "approve" })
      return { sentTo: `${to} for ${approval.value.by}` }
    })
})

const typesOf = (id: Parameters<JobKind.ProducerService<typeof Email>["await"]>[0]) =>
  Effect.flatMap(Email.Producer, ({ events }) =>
    Effect.map(Stream.runCollect(events(id)), (all) => Chunk.toReadonlyArray(all).map(({ type }) => type))
  )

const stored = (filename: string) => RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))

/** A manager and a producer, each with a connection of its own. */
const beside = (manager: Layer.Layer<Email, Error, RunStore.RunStore>, filename: string) =>
  Layer.merge(
    Layer.provide(Layer.discard(manager), Layer.fresh(stored(filename))),
    Layer.provide(Email.producer, Layer.fresh(stored(filename)))
  )

describe("a producer beside its manager", () => {
  const both = Layer.provideMerge(sending, RunStore.layerMemory)
  const apart = Layer.provideMerge(Layer.merge(Email.producer, Layer.discard(sending)), RunStore.layerMemory)

  it.live.each([
    ["of the layer of the kind", both],
    ["of its own", apart]
  ] as const)("starts a job, awaits its result, and follows its events, with the layer %s", ([, layer]) =>
    Effect.gen(function* () {
      const emails = yield* Email.Producer
      const id = yield* emails.start({ to: "ada" })
      const run = yield* emails.await(id)
      expect(run).toMatchObject({ status: "completed", labels: { to: "ada" }, result: { sentTo: "ada" } })
      expect(yield* typesOf(id)).toEqual(["job.queued", "job.started", "job.completed"])
    }).pipe(Effect.provide(layer))
  )

  it.live("refuses at once what does not decode, and what the check refuses fails when it begins", () =>
    Effect.gen(function* () {
      const emails = yield* Email.Producer
      const error = yield* Effect.flip(emails.start({ to: "ada" }, { priority: 0.5 }))
      expect(error).toMatchObject({ _tag: "InvalidJobConfig" })
      const run = yield* emails.await(yield* emails.start({ to: "nobody" }))
      expect(run).toMatchObject({ status: "failed", error: { kind: "recovery" } })
    }).pipe(Effect.provide(both))
  )

  it.live("gives a job a signal that its kind declares, once", () =>
    Effect.gen(function* () {
      const emails = yield* Email.Producer
      const runs = yield* Runs.Runs
      const id = yield* emails.start({ to: "ada", waits: true })
      yield* poll(runs.get(id), {
        until: Option.exists(({ status }) => status === "parked"),
        pause: 5,
        atMost: "20 seconds"
      })
      yield* emails.signal(id, "approve", { by: "Bea" })
      expect(yield* emails.await(id)).toMatchObject({ result: { sentTo: "ada for Bea" } })
      expect((yield* typesOf(id)).filter((type) => type === "job.signalled")).toHaveLength(1)
      const ended = yield* Effect.flip(emails.signal(id, "approve", { by: "Cleo" }))
      expect(ended).toMatchObject({ _tag: "JobEnded" })
    }).pipe(Effect.provide(both))
  )

  it.live("stops a job, and returns before it has ended", () =>
    Effect.gen(function* () {
      const emails = yield* Email.Producer
      const runs = yield* Runs.Runs
      const id = yield* emails.start({ to: "ada", waits: true })
      yield* poll(runs.get(id), {
        until: Option.exists(({ status }) => status === "parked"),
        pause: 5,
        atMost: "20 seconds"
      })
      yield* emails.stop(id, { by: "Bea" })
      expect(yield* emails.await(id)).toMatchObject({ status: "cancelled" })
      const last = yield* Stream.runLast(emails.events(id))
      expect(Option.getOrThrow(last)).toMatchObject({ type: "job.cancelled", payload: { by: "Bea", via: "library" } })
      yield* emails.stop(id)
    }).pipe(Effect.provide(both))
  )
})

class Watch extends JobKind.Tag<Watch>()("watch", { config: Schema.Struct({}) }) {}

describe("a producer beside a manager that resumes nothing by itself", () => {
  it.scopedLive("resumes interrupted jobs, each once there is a permit, and none that runs", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const life = (maxJobs: number) =>
        Layer.provideMerge(
          Watch.layer({ run: () => Effect.never, recovery: "manual", maxJobs }),
          Layer.fresh(stored(file))
        )
      const eventOf = (id: JobId.JobId, type: string) =>
        Effect.flatMap(Watch.Producer, ({ events }) =>
          Effect.map(Stream.runHead(Stream.filter(events(id), (event) => event.type === type)), Option.getOrThrow)
        )
      const start = Effect.flatMap(Watch.Producer, (watches) =>
        Effect.tap(watches.start({}), (id) => eventOf(id, "job.started"))
      )
      const [first, second] = yield* Effect.all([start, start]).pipe(Effect.provide(life(2)))
      yield* Effect.gen(function* () {
        const watches = yield* Watch.Producer
        yield* watches.resume(first, { by: "ada" })
        expect(yield* eventOf(first, "job.resumed")).toMatchObject({
          payload: { by: "resume", sender: "ada", via: "library" }
        })
        expect(yield* Effect.flip(watches.resume(first))).toMatchObject({ _tag: "NotResumable", status: "running" })
        yield* watches.resume(second)
        yield* watches.stop(first)
        yield* eventOf(second, "job.resumed")
      }).pipe(Effect.provide(life(1)))
    })
  )

  it.scopedLive("says in one sentence which request it drops, and why", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const manager = Layer.provideMerge(
        Watch.layer({ run: () => Effect.never, recovery: "manual", maxJobs: 2 }),
        Layer.fresh(stored(file))
      )
      const id = yield* Effect.gen(function* () {
        const watches = yield* Watch
        return yield* watches.start({})
      }).pipe(Effect.provide(manager))
      yield* Effect.gen(function* () {
        const watches = yield* Watch.Producer
        yield* watches.resume(id)
        yield* watches.resume(id)
      }).pipe(Effect.provide(Layer.provide(Watch.producer, Layer.fresh(stored(file)))))
      const warned = yield* Deferred.make<unknown>()
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel === LogLevel.Warning) Deferred.unsafeDone(warned, Exit.succeed(message))
      })
      const layer = Layer.provide(manager, Logger.replace(Logger.defaultLogger, logger))
      const message = yield* Effect.provide(Deferred.await(warned), layer)
      expect(message).toEqual([`a producer's request to resume is dropped: job ${id} cannot be resumed: it is running`])
    })
  )
})

describe("a producer without a manager", () => {
  const alone = Layer.provideMerge(Email.producer, RunStore.layerMemory)

  it.live("records runs with their keys, and no more than may be pending", () =>
    Effect.gen(function* () {
      const emails = yield* Email.Producer
      const started = yield* emails.startMany(["ada", "bea", "ada", "cleo", "dora"].map((to) => ({ to })))
      expect(started.map(Either.match({ onLeft: ({ _tag }) => _tag, onRight: () => "started" }))).toEqual([
        "started",
        "started",
        "JobConflict",
        "started",
        "QueueFull"
      ])
      const [first] = started
      if (first === undefined || Either.isLeft(first)) return expect.fail("the first was refused")
      expect(yield* emails.start({ to: "ada" }, { whenKeyTaken: "attach" })).toBe(first.right)
      expect(yield* Effect.flip(emails.start({ to: "ada" }))).toMatchObject({ jobId: first.right, status: "pending" })
    }).pipe(Effect.provide(alone))
  )

  it.live("cancels a pending run at once", () =>
    Effect.gen(function* () {
      const emails = yield* Email.Producer
      const id = yield* emails.start({ to: "ada" })
      const awaiting = yield* Effect.fork(emails.await(id))
      yield* emails.stop(id)
      expect(yield* Fiber.join(awaiting)).toMatchObject({ status: "cancelled" })
      // The key is free.
      yield* emails.start({ to: "ada" })
    }).pipe(Effect.provide(alone))
  )

  it.live(
    "retries a cancelled run once, also by two callers at once, and all that match with what they were recorded with",
    () =>
      Effect.gen(function* () {
        const emails = yield* Email.Producer
        const runs = yield* Runs.Runs
        const cancelled = yield* Effect.forEach(["ada", "bea"], (to) =>
          Effect.tap(emails.start({ to }, { priority: 3 }), (id) => emails.stop(id))
        )
        const [first, second] = cancelled
        if (first === undefined || second === undefined) return expect.fail("two are started")
        const ids = yield* Effect.all([emails.retry(first), emails.retry(first)], { concurrency: "unbounded" })
        expect(new Set([...ids, yield* emails.retry(first)]).size).toBe(1)
        const waiting = yield* Effect.flip(emails.retry(ids[0]))
        expect(waiting).toMatchObject({ _tag: "NotRetryable", status: "pending" })
        const progress = yield* Stream.runCollect(emails.retryMany({ status: "cancelled" }))
        expect(Chunk.toReadonlyArray(progress)).toMatchObject([{ retried: 1, refused: 0 }])
        const retried = yield* runs.get(second)
        expect(retried).toMatchObject({ value: { retriedAs: expect.any(String) } })
        expect(yield* runs.get(ids[0])).toMatchObject({
          value: { status: "pending", retryOf: first, priority: 3, labels: { to: "ada" }, config: { to: "ada" } }
        })
        // The key is held once more.
        expect(yield* Effect.flip(emails.start({ to: "ada" }))).toMatchObject({ _tag: "JobConflict", jobId: ids[0] })
        const unknown = yield* Effect.flip(emails.retry(unknownId))
        expect(unknown).toEqual(new errors.JobNotFound({ jobId: unknownId }))
      }).pipe(Effect.provide(alone))
  )

  it.live("does not know the jobs of other kinds", () =>
    Effect.gen(function* () {
      const emails = yield* Email.Producer
      const reports = yield* Report.Producer
      const id = yield* reports.start({})
      const refused = new errors.JobNotFound({ jobId: id })
      expect(yield* Effect.flip(emails.stop(id))).toEqual(refused)
      expect(yield* Effect.flip(emails.signal(id, "approve", { by: "Bea" }))).toEqual(refused)
      expect(yield* Effect.flip(emails.await(id))).toEqual(refused)
    }).pipe(Effect.provide(Layer.provideMerge(Layer.merge(Email.producer, Report.producer), RunStore.layerMemory)))
  )
})

describe("a manager that closes", () => {
  it.scopedLive("leaves stops to the next manager, and reads no more requests meanwhile", () =>
    Effect.gen(function* () {
      let reads = 0
      const counting = Layer.effect(
        RunStore.RunStore,
        Effect.map(RunStore.RunStore, (store) => ({
          ...store,
          producers: {
            ...store.producers,
            requests: (kind: string) =>
              Effect.zipRight(
                Effect.sync(() => void reads++),
                store.producers.requests(kind)
              )
          }
        }))
      ).pipe(Layer.provide(RunStore.layerMemory))
      const began = yield* Deferred.make<void>()
      const closes = yield* Deferred.make<void>()
      const free = yield* Deferred.make<void>()
      const slow = Email.layer({
        run: ({ config: { waits }, park }) =>
          waits
            ? park({ reason: "needs an approval", signal: "approve" })
            : Effect.zipRight(Deferred.succeed(began, undefined), Effect.never).pipe(
                Effect.onInterrupt(() => Effect.zipRight(Deferred.succeed(closes, undefined), Deferred.await(free)))
              )
      })
      yield* Effect.gen(function* () {
        const { get, producers } = yield* RunStore.RunStore
        const emails = yield* Email.Producer
        const scope = yield* Scope.make()
        yield* Layer.buildWithScope(slow, scope)
        yield* emails.start({ to: "ada" })
        yield* Deferred.await(began)
        const parked = yield* emails.start({ to: "bea", waits: true })
        yield* poll(get(parked), {
          until: Option.exists(({ status }) => status === "parked"),
          pause: 5,
          atMost: "20 seconds"
        })
        const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
        yield* Deferred.await(closes)
        const readBefore = reads
        yield* emails.stop(parked)
        yield* Effect.replicateEffect(Effect.yieldNow(), 1_000, { discard: true })
        expect(reads - readBefore).toBeLessThan(5)
        yield* Deferred.succeed(free, undefined)
        yield* Fiber.join(closing)
        expect(yield* producers.requests("email")).toMatchObject([{ jobId: parked }])
      }).pipe(Effect.provide(Layer.provideMerge(Email.producer, counting)))
    })
  )
})

describe("a producer on the connection of its manager", () => {
  it.scopedLive("has a job begun and stopped though its callers go away while that is committed", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<JobId.JobId>()
      const { hold } = yield* FailingSql.FailingSql
      const leaveDuringCommit = (call: Effect.Effect<unknown, unknown>) =>
        Effect.gen(function* () {
          const commit = yield* hold(/^COMMIT/)
          const caller = yield* Effect.fork(call)
          yield* commit.reached
          yield* Fiber.interruptFork(caller)
          yield* commit.release
        })
      yield* Effect.gen(function* () {
        const emails = yield* Email.Producer
        yield* leaveDuringCommit(emails.start({ to: "ada" }))
        const id = yield* Effect.timeout(Deferred.await(began), "20 seconds")
        yield* leaveDuringCommit(emails.stop(id))
        expect(yield* Effect.timeout(emails.await(id), "20 seconds")).toMatchObject({ status: "cancelled" })
      }).pipe(
        Effect.provide(Email.layer({ run: ({ id }) => Effect.zipRight(Deferred.succeed(began, id), Effect.never) }))
      )
    }).pipe(Effect.provide(RunStore.layer.pipe(Layer.provideMerge(FailingSql.layer({ filename: ":memory:" })))))
  )
})

describe("producers with connections of their own", () => {
  it.scopedLive("leave runs, signals and stops to a manager that comes later", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      const [sent, approved, stopped] = yield* Effect.gen(function* () {
        const emails = yield* Email.Producer
        const sent = yield* emails.start({ to: "ada" })
        const approved = yield* emails.start({ to: "bea", waits: true })
        yield* emails.signal(approved, "approve", { by: "Bea" })
        const stopped = yield* emails.start({ to: "cleo" })
        yield* emails.stop(stopped)
        return [sent, approved, stopped] as const
      }).pipe(Effect.provide(Layer.provide(Email.producer, stored(filename))))
      yield* Effect.gen(function* () {
        const emails = yield* Email.Producer
        expect(yield* emails.await(sent)).toMatchObject({ status: "completed" })
        expect(yield* emails.await(approved)).toMatchObject({ result: { sentTo: "bea for Bea" } })
        expect(yield* emails.await(stopped)).toMatchObject({ status: "cancelled" })
      }).pipe(Effect.provide(beside(sending, filename)))
    })
  )

  it.scopedLive("have a running job of another connection stopped, or replaced", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      const began = yield* Deferred.make<void>()
      const slow = Email.layer({ run: () => Effect.zipRight(Deferred.succeed(began, undefined), Effect.never) })
      yield* Effect.gen(function* () {
        const emails = yield* Email.Producer
        const first = yield* emails.start({ to: "ada" })
        yield* Deferred.await(began)
        const second = yield* emails.start({ to: "ada" }, { whenKeyTaken: "replace" })
        expect(yield* emails.await(first)).toMatchObject({ status: "cancelled" })
        yield* emails.stop(second)
        expect(yield* emails.await(second)).toMatchObject({ status: "cancelled" })
      }).pipe(Effect.provide(beside(slow, filename)))
    })
  )

  it.scopedLive("make no query while they are idle, beside a manager that works", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      const began = yield* Deferred.make<void>()
      const ticking = Email.layer({
        run: ({ emit }) =>
          Effect.zipRight(
            Deferred.succeed(began, undefined),
            Effect.forever(Effect.zipRight(emit({ type: "tick" }), Effect.sleep(20)))
          )
      })
      const producer = Email.producer.pipe(
        Layer.provideMerge(RunStore.layer),
        Layer.provideMerge(FailingSql.layer({ filename }))
      )
      yield* Effect.gen(function* () {
        const emails = yield* Email.Producer
        const { clear, statements } = yield* FailingSql.FailingSql
        const id = yield* emails.start({ to: "ada" })
        yield* Deferred.await(began)
        const ticks = yield* Effect.fork(Stream.runDrain(Stream.take(emails.events(id), 5)))
        yield* Fiber.join(ticks)
        yield* clear
        // The files of a database that has a manager are checked every second.
        yield* Effect.sleep("2500 millis")
        expect(yield* statements).toEqual([])
      }).pipe(
        Effect.provide(
          Layer.merge(Layer.provide(Layer.discard(ticking), Layer.fresh(stored(filename))), Layer.fresh(producer))
        )
      )
    })
  )
})
