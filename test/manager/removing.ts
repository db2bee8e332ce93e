/**
 * The conformance suite of `remove` and `removeMany`, on any store.
 */
import { describe, expect, it } from "@effect/vitest"
import { type errors, type JobId, JobKind, RunStore } from "charlotte"
import { Array, Chunk, Context, Deferred, Effect, Exit, Fiber, Layer, Option, Schema, Scope, Stream } from "effect"
import { poll } from "../../src/internal/RealClock.js"
import { at, error, id, newRun } from "../store/runs.js"
import { unknownId } from "../support/jobs.js"

export class Email extends JobKind.Tag<Email>()("email", { config: Schema.Struct({ to: Schema.String }) }) {}

type Options = JobKind.LayerOptions<typeof Email, never, never>

const { RunStore: Store } = RunStore
const to = (to: string) => ({ to })

/** Records the n-th run, which has failed. */
const failedRun = (n: number, labels: { readonly [name: string]: string } = {}) =>
  Effect.gen(function* () {
    const { create, record } = yield* Store
    yield* create(newRun(n, { kind: Email.kind, config: to(`person ${n}`), labels }))
    yield* record({ type: "job.failed", jobId: id(n), attempt: 1, at: at(n), error })
    return id(n)
  })

const isThere = (id: JobId.JobId) => Effect.flatMap(Store, ({ get }) => Effect.map(get(id), Option.isSome))
const isHidden = Effect.flatMap(Store, ({ hasHidden }) => hasHidden(Email.kind))

export const removing = (
  name: string,
  email: (options: Options) => Layer.Layer<Email, errors.StoreError, RunStore.RunStore>,
  store: Layer.Layer<RunStore.RunStore, errors.StoreError>
) => {
  /** A manager that records in `asked` what it is to forget. */
  const mailing = (options: Partial<Options> = {}) =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const layer = email({
        run: () => Effect.void,
        forget: (jobId, why) => Effect.sync(() => void asked.push(`${jobId} ${why}`)),
        ...options
      })
      return { asked, emails: Context.get(yield* Layer.build(layer), Email) }
    })

  describe(`a job that is removed by hand, ${name}`, () => {
    it.scopedLive(
      "is gone with what it has left elsewhere, once the call returns, and a further call changes nothing",
      () =>
        Effect.gen(function* () {
          const { asked, emails } = yield* mailing()
          const job = yield* emails.start(to("ada"))
          const other = yield* emails.start(to("bob"))
          yield* Effect.forEach([job, other], emails.await)
          yield* emails.remove(job, { by: "eve" })
          expect(asked).toEqual([`${job} removed`])
          expect(yield* isHidden).toBe(false)
          expect([yield* isThere(job), yield* isThere(other)]).toEqual([false, true])
          yield* emails.remove(job)
          expect(asked).toEqual([`${job} removed`])
          expect((yield* Effect.flip(emails.await(job)))._tag).toBe("JobNotFound")
          expect((yield* Effect.flip(emails.remove(unknownId)))._tag).toBe("JobNotFound")
        }).pipe(Effect.scoped, Effect.provide(store))
    )

    it.scopedLive("is over, or is stopped first if that is asked for", () =>
      Effect.gen(function* () {
        const ended = yield* Deferred.make<void>()
        const { emails } = yield* mailing({
          run: () => Effect.onInterrupt(Effect.never, () => Deferred.succeed(ended, undefined))
        })
        const job = yield* emails.start(to("ada"))
        expect((yield* Effect.flip(emails.remove(job))).message).toBe(`job ${job} cannot be removed: it is not over`)
        expect(yield* isThere(job)).toBe(true)
        yield* emails.remove(job, { stop: true })
        expect(yield* Deferred.isDone(ended)).toBe(true)
        expect(yield* emails.activeCount).toBe(0)
        expect(yield* isThere(job)).toBe(false)
      }).pipe(Effect.scoped, Effect.provide(store))
    )

    it.scopedLive("is not stopped if it could not be removed then", () =>
      Effect.gen(function* () {
        const { emails } = yield* mailing({ run: () => Effect.never })
        const { pin } = yield* Store
        const job = yield* emails.start(to("ada"))
        yield* pin(job)
        expect(yield* Effect.flip(emails.remove(job, { stop: true }))).toMatchObject({ reason: "pinned" })
        expect(yield* emails.list).toEqual([job])
        yield* emails.remove(job, { stop: true, pinned: true })
        expect(yield* isThere(job)).toBe(false)
      }).pipe(Effect.scoped, Effect.provide(store))
    )

    it.scopedLive("goes on being deleted if its caller is interrupted", () =>
      Effect.gen(function* () {
        const [asking, answer] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const { emails } = yield* mailing({
          forget: () => Effect.zipRight(Deferred.succeed(asking, undefined), Deferred.await(answer))
        })
        const job = yield* emails.start(to("ada"))
        yield* emails.await(job)
        const removal = yield* Effect.fork(emails.remove(job))
        yield* Deferred.await(asking)
        const again = yield* Effect.fork(emails.remove(job))
        yield* Fiber.interrupt(removal)
        expect([yield* isThere(job), yield* isHidden]).toEqual([false, true])
        yield* Deferred.succeed(answer, undefined)
        yield* Fiber.join(again)
        expect(yield* poll(isHidden, { until: (is) => !is, pause: 5, atMost: "20 seconds" })).toBe(false)
      }).pipe(Effect.scoped, Effect.provide(store))
    )

    it.scopedLive("is deleted by the next manager if the process has died before, whatever its retention is", () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const asking = yield* Deferred.make<void>()
        const first = yield* Scope.extend(
          mailing({ forget: () => Effect.zipRight(Deferred.succeed(asking, undefined), Effect.never) }),
          scope
        )
        const job = yield* first.emails.start(to("ada"))
        yield* first.emails.await(job)
        const removal = yield* Effect.fork(first.emails.remove(job))
        yield* Deferred.await(asking)
        yield* Scope.close(scope, Exit.void)
        expect(Exit.isFailure(yield* Fiber.await(removal))).toBe(true)
        expect(yield* isHidden).toBe(true)
        const { asked } = yield* mailing()
        expect(yield* poll(isHidden, { until: (is) => !is, pause: 5, atMost: "20 seconds" })).toBe(false)
        expect(asked).toEqual([`${job} removed`])
      }).pipe(Effect.scoped, Effect.provide(store))
    )

    it.scopedLive("is no longer read by those who have read its events before", () =>
      Effect.gen(function* () {
        const { emails } = yield* mailing()
        const job = yield* emails.start(to("ada"))
        yield* emails.await(job)
        const events = Stream.runCollect(emails.events(job))
        expect(Chunk.size(yield* events)).toBeGreaterThan(0)
        yield* emails.remove(job)
        expect((yield* Effect.flip(events))._tag).toBe("JobNotFound")
      }).pipe(Effect.scoped, Effect.provide(store))
    )
  })

  describe(`jobs that are removed by a filter, ${name}`, () => {
    it.scopedLive("are all that match and are over, each with its chain, page by page", () =>
      Effect.gen(function* () {
        const labels = { team: "web" }
        yield* Effect.forEach(Array.range(1, 210), (n) => failedRun(n, labels), { concurrency: "unbounded" })
        yield* failedRun(300)
        const { asked, emails } = yield* mailing()
        const progress = yield* Stream.runCollect(emails.removeMany({ status: "failed", labels, by: "eve" }))
        expect(Chunk.toReadonlyArray(progress)).toEqual([
          { removed: 200, refused: 0, last: id(11) },
          { removed: 210, refused: 0, last: id(1) }
        ])
        const { list } = yield* Store
        expect((yield* list()).map(({ id }) => id)).toEqual([id(300)])
        expect(yield* isHidden).toBe(false)
        expect(new Set(asked).size).toBe(210)
      }).pipe(Effect.scoped, Effect.provide(store))
    )

    it.scopedLive("leave those that are refused, with the first reason", () =>
      Effect.gen(function* () {
        const { pin } = yield* Store
        yield* Effect.forEach([1, 2, 3], (n) => failedRun(n))
        yield* pin(id(2))
        const { emails } = yield* mailing()
        const failed = { status: "failed" } as const
        expect(yield* Stream.runLast(emails.removeMany(failed))).toEqual(
          Option.some({
            removed: 2,
            refused: 1,
            problem: `job ${id(2)} cannot be removed: it is pinned`,
            last: id(1)
          })
        )
        expect(yield* isThere(id(2))).toBe(true)
        yield* Stream.runDrain(emails.removeMany({ ...failed, pinned: true }))
        expect(yield* isThere(id(2))).toBe(false)
      }).pipe(Effect.scoped, Effect.provide(store))
    )

    it.scopedLive("are named by a status, labels or a text", () =>
      Effect.gen(function* () {
        const { emails } = yield* mailing()
        yield* failedRun(1)
        for (const query of [{}, { labels: {} }, { q: " " }, { pinned: true }, { before: id(2) }]) {
          const refused = yield* Effect.flip(Stream.runDrain(emails.removeMany(query)))
          expect(refused).toMatchObject({ _tag: "StoreError", reason: "invalid" })
          expect(refused.message).toContain("it is not said which jobs to remove")
        }
        expect(yield* isThere(id(1))).toBe(true)
      }).pipe(Effect.scoped, Effect.provide(store))
    )
  })
}
