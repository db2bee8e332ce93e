/**
 * The conformance suite of `retry` and `retryMany`, on any store, on one machine or as a node of a cluster.
 */
import { describe, expect, it } from "@effect/vitest"
import { type errors, JobId, JobKind, RunStore } from "charlotte"
import { Array, Chunk, Context, Deferred, Effect, Exit, Fiber, Layer, Option, Ref, Schema, Scope, Stream } from "effect"
import { poll } from "../../src/internal/RealClock.js"
import { at, error, id, newRun } from "../store/runs.js"
import { unknownId } from "../support/jobs.js"

export class Email extends JobKind.Tag<Email>()("email", {
  config: Schema.Struct({ to: Schema.String }),
  success: Schema.String,
  error: Schema.String
}) {}

/** The same kind in a later version, which cannot read what the former has recorded. */
export class Later extends JobKind.Tag<Later>()("email", {
  config: Schema.Struct({ to: Schema.String, template: Schema.String })
}) {}

type Options<K extends JobKind.Any> = JobKind.LayerOptions<K, never, never>

/** How a manager of a kind is made, on a store. */
export interface Making {
  readonly email: (options: Options<typeof Email>) => Layer.Layer<Email, errors.StoreError, RunStore.RunStore>
  readonly later: (options: Options<typeof Later>) => Layer.Layer<Later, errors.StoreError, RunStore.RunStore>
}

const { RunStore: Store } = RunStore
const to = (to: string) => ({ to })

const recordOf = (id: JobId.JobId) => Effect.flatMap(Store, (store) => Effect.flatten(store.get(id)))
const keysOf = (id: JobId.JobId) => Effect.flatMap(Store, ({ ownKeys }) => ownKeys(id))

const patience = { pause: 5, atMost: "20 seconds" } as const

export const retrying = (
  name: string,
  { email, later }: Making,
  store: Layer.Layer<RunStore.RunStore, errors.StoreError>
) => {
  /** Jobs fail while the mail server is down. */
  const mailing = (options: Partial<Options<typeof Email>> = {}) =>
    Effect.gen(function* () {
      const isDown = yield* Ref.make(true)
      const run = ({ config: { to } }: { readonly config: { readonly to: string } }) =>
        Effect.if(Ref.get(isDown), {
          onTrue: () => Effect.fail("down"),
          onFalse: () => Effect.succeed(`sent to ${to}`)
        })
      return { repair: Ref.set(isDown, false), emails: yield* open(email({ run, ...options })) }
    })

  const open = (layer: Layer.Layer<Email, errors.StoreError, RunStore.RunStore>) =>
    Effect.map(Layer.build(layer), Context.get(Email))

  describe(`a run that is retried by hand, ${name}`, () => {
    it.scopedLive("goes on as a new run with what it was recorded with, and both refer to each other", () =>
      Effect.gen(function* () {
        const { emails, repair } = yield* mailing({
          key: ({ to }) => to,
          check: ({ to }) => Effect.succeed({ key: `box of ${to}`, title: `Mail for ${to}` }),
          labels: ({ to }) => ({ first: to.slice(0, 1) })
        })
        const first = yield* emails.start(to("ada"), { priority: 7 })
        expect(yield* emails.await(first)).toMatchObject({ status: "failed" })
        yield* repair
        const second = yield* emails.retry(first, { by: "eve" })
        const done = yield* emails.await(second)
        expect(done).toMatchObject({ status: "completed", result: "sent to ada", retryOf: first, priority: 7 })
        expect(done.labels).toEqual({ title: "Mail for ada", first: "a" })
        expect(yield* keysOf(second)).toEqual({ key: "box of ada", startKey: "ada" })
        expect(yield* recordOf(first)).toMatchObject({ status: "failed", attempt: 1, retriedAs: second })
        const [queued] = Chunk.toReadonlyArray(yield* Stream.runCollect(emails.events(second)))
        expect(queued).toMatchObject({ type: "job.queued", payload: { retryOf: first, by: "eve", via: "library" } })
        expect(yield* emails.retry(first)).toBe(second)
      }).pipe(Effect.scoped, Effect.provide(store))
    )

    it.scopedLive("gets one new run, however many callers retry it at once", () =>
      Effect.gen(function* () {
        const { emails } = yield* mailing()
        const first = yield* emails.start(to("ada"))
        yield* emails.await(first)
        const answers = yield* Effect.replicateEffect(emails.retry(first), 20, { concurrency: "unbounded" })
        expect(new Set(answers).size).toBe(1)
        const { list } = yield* Store
        expect((yield* list()).map(({ id }) => id)).toEqual([answers[0], first])
        // The chain goes on from its last run.
        yield* emails.await(answers[0] ?? unknownId)
        expect(yield* emails.retry(answers[0] ?? unknownId)).not.toBe(answers[0])
      }).pipe(Effect.scoped, Effect.provide(store))
    )

    it.scopedLive("has failed or was cancelled, or has completed if it is to be done again", () =>
      Effect.gen(function* () {
        const going = yield* Deferred.make<string>()
        const { emails } = yield* mailing({ run: () => Deferred.await(going), maxJobs: 1 })
        const first = yield* emails.start(to("ada"))
        const waiting = yield* emails.start(to("bob"), { whenFull: "queue" })
        expect(yield* Effect.flip(emails.retry(unknownId))).toMatchObject({ _tag: "JobNotFound" })
        expect((yield* Effect.flip(emails.retry(first))).message).toBe(`job ${first} cannot be retried: it is running`)
        expect((yield* Effect.flip(emails.retry(waiting, { again: true }))).message).toContain("it is pending")
        yield* emails.stop(waiting)
        const cancelled = yield* emails.retry(waiting)
        expect(yield* recordOf(cancelled)).toMatchObject({ status: "pending", config: to("bob"), retryOf: waiting })
        yield* Deferred.succeed(going, "sent")
        yield* emails.await(first)
        expect((yield* Effect.flip(emails.retry(first))).message).toContain(
          "it is completed, and is done once more only"
        )
        const again = yield* emails.retry(first, { again: true })
        expect(yield* emails.await(again)).toMatchObject({ status: "completed", retryOf: first })
      }).pipe(Effect.scoped, Effect.provide(store))
    )

    it.scopedLive("is refused where another job holds its key, or the queue is full, and can be retried later", () =>
      Effect.gen(function* () {
        const going = yield* Deferred.make<string>()
        const { emails } = yield* mailing({
          run: ({ config }) => (config.to === "slow" ? Deferred.await(going) : Effect.fail("down")),
          maxJobs: 1,
          maxQueued: 1
        })
        const failed = yield* emails.start(to("ada"), { key: "box" })
        const other = yield* emails.start(to("bob"), { whenFull: "queue" })
        yield* Effect.forEach([failed, other], emails.await)
        const holder = yield* emails.start(to("slow"), { key: "box" })
        expect(yield* Effect.flip(emails.retry(failed))).toMatchObject({ _tag: "JobConflict", jobId: holder })
        yield* emails.retry(other)
        const more = yield* emails.start(to("eve"), { key: "box", whenKeyTaken: "queue" }).pipe(Effect.flip)
        expect(more).toMatchObject({ _tag: "QueueFull", maxQueued: 1 })
        yield* Deferred.succeed(going, "sent")
        yield* emails.await(holder)
        yield* poll(Effect.either(emails.retry(failed)), { until: ({ _tag }) => _tag === "Right", ...patience })
      }).pipe(Effect.scoped, Effect.provide(store))
    )

    it.scopedLive("is refused with the field that a later version of its kind cannot read", () =>
      Effect.gen(function* () {
        const first = yield* Effect.gen(function* () {
          const { emails } = yield* mailing()
          return yield* Effect.tap(emails.start(to("ada")), emails.await)
        }).pipe(Effect.scoped)
        const layer = later({ run: () => Effect.void })
        const refused = yield* Effect.flatMap(Later, (emails) => Effect.flip(emails.retry(first))).pipe(
          Effect.provide(layer)
        )
        expect(refused).toMatchObject({ _tag: "NotRetryable", field: "config.template", reason: "is missing" })
      }).pipe(Effect.scoped, Effect.provide(store))
    )

    it.scopedLive("is refused by a manager that has closed", () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const { emails } = yield* Scope.extend(mailing(), scope)
        const first = yield* Effect.tap(emails.start(to("ada")), emails.await)
        yield* Scope.close(scope, Exit.void)
        expect(yield* Effect.flip(emails.retry(first))).toMatchObject({ _tag: "ShuttingDown" })
        const all = Stream.runDrain(emails.retryMany({ status: "failed" }))
        expect(yield* Effect.flip(all)).toMatchObject({ _tag: "ShuttingDown" })
      }).pipe(Effect.scoped, Effect.provide(store))
    )
  })

  describe(`retryMany, ${name}`, () => {
    it.scopedLive("retries what has failed and matches, goes on where it was broken off, and is then done", () =>
      Effect.gen(function* () {
        const { list, ...store } = yield* Store
        // Runs that were never begun.
        const failed = ({ box, n }: { readonly n: number; readonly box: string }) =>
          Effect.gen(function* () {
            const run = { ...newRun(n, { kind: "email", isQueued: true, config: to(box) }), labels: { box } }
            yield* store.create(run)
            yield* store.record({ type: "job.failed", jobId: run.id, attempt: 1, at: at(n), error, ofWaiting: true })
          })
        const boxes = Array.makeBy(450, (n) => ({ n, box: n < 430 ? "a" : "b" }))
        yield* Effect.forEach(boxes, failed, { concurrency: "unbounded" })
        const { emails } = yield* mailing({ run: () => Effect.never, maxJobs: 1 })
        const query = { labels: { box: "a" } }
        const [first] = Chunk.toReadonlyArray(yield* Stream.runCollect(Stream.take(emails.retryMany(query), 1)))
        expect(first).toEqual({ retried: 200, refused: 0, last: id(230) })
        const rest = yield* Stream.runLast(emails.retryMany(query))
        expect(Option.getOrThrow(rest)).toEqual({ retried: 230, refused: 0, last: id(0) })
        expect(yield* Stream.runLast(emails.retryMany(query))).toEqual(Option.none())
        const left = yield* list({ status: "failed", retried: false, limit: 1_000 })
        expect(left.map(({ id }) => id)).toEqual(Array.makeBy(20, (n) => id(449 - n)))
        const retries = (yield* list({ limit: 1_000 })).flatMap(({ retryOf }) =>
          retryOf === undefined ? [] : [retryOf]
        )
        expect(retries.sort()).toEqual(Array.makeBy(430, id))
      }).pipe(Effect.scoped, Effect.provide(store))
    )

    it.scopedLive("retries failed and cancelled runs, unless one status is asked for, and counts refusals", () =>
      Effect.gen(function* () {
        const { emails } = yield* mailing({ maxJobs: 1 })
        const failed = yield* Effect.tap(emails.start(to("ada"), { key: "box" }), emails.await)
        const later = yield* emails.start(to("bob"), { delay: "1 day" })
        yield* emails.stop(later)
        const holder = yield* emails.start(to("eve"), { key: "box", delay: "1 day" })
        const cancelled = yield* Stream.runLast(emails.retryMany({ status: "cancelled" }))
        expect(cancelled).toEqual(Option.some({ retried: 1, refused: 0, last: later }))
        const progress = yield* Stream.runLast(emails.retryMany({ q: "ada" }))
        const problem = `job ${holder}, which is pending, holds box; resume it, stop it, or wait until it has ended`
        expect(progress).toEqual(Option.some({ retried: 0, refused: 1, last: failed, problem }))
      }).pipe(Effect.scoped, Effect.provide(store))
    )

    it.scopedLive("refuses a query that selects all runs", () =>
      Effect.gen(function* () {
        const { emails } = yield* mailing()
        const first = yield* Effect.tap(emails.start(to("ada")), emails.await)
        for (const query of [{}, { labels: {} }, { q: " " }, { fresh: true }]) {
          const refused = yield* Effect.flip(Stream.runDrain(emails.retryMany(query)))
          expect(refused).toMatchObject({ _tag: "StoreError", reason: "invalid" })
        }
        expect((yield* recordOf(first)).retriedAs).toBeUndefined()
      }).pipe(Effect.scoped, Effect.provide(store))
    )

    it.scopedLive("retries each run once, also if it is called twice at the same time", () =>
      Effect.gen(function* () {
        const { emails } = yield* mailing({ maxJobs: 20 })
        const ids = Array.getRights(yield* emails.startMany(Array.makeBy(60, (n) => to(String(n)))))
        yield* Effect.forEach(ids, emails.await)
        const all = Stream.runDrain(
          emails.retryMany({ status: "failed", before: JobId.make("7ZZZZZZZZZZZZZZZZZZZZZZZZZ") })
        )
        const fibers = yield* Effect.replicateEffect(Effect.fork(all), 2)
        yield* Effect.forEach(fibers, Fiber.join)
        const { list } = yield* Store
        const retries = (yield* list({ limit: 1_000 })).flatMap(({ retryOf }) =>
          retryOf === undefined ? [] : [retryOf]
        )
        // A run that failed meanwhile may have been retried by the second call.
        for (const id of ids) expect(retries.filter((of) => of === id)).toEqual([id])
      }).pipe(Effect.scoped, Effect.provide(store))
    )
  })
}
