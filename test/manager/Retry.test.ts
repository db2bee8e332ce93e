/** Failed attempts of a kind that is retried. */
import { describe, expect, it } from "@effect/vitest"
import { Database, type JobId, JobKind, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import {
  Array,
  Cause,
  Chunk,
  DateTime,
  Deferred,
  Effect,
  Exit,
  Fiber,
  Layer,
  Option,
  Schema,
  Stream,
  TestClock
} from "effect"
import { poll } from "../../src/internal/RealClock.js"
import { databaseFile } from "./lives.js"

class Refused extends Schema.TaggedError<Refused>()("Refused", { code: Schema.NumberFromString }) {}

class Email extends JobKind.Tag<Email>()("email", {
  config: Schema.Struct({ to: Schema.String }),
  success: Schema.String,
  error: Refused,
  events: { "email.sent": Schema.Struct({ tries: Schema.Number }) },
  signals: { approve: Schema.String }
}) {}

type Options = ScriptedOrchestrator.KindOptions<typeof Email>
type Job = ScriptedOrchestrator.JobOf<typeof Email>

const { RunStore: Store } = RunStore
const config = { to: "ada@example.com" }
const minutely = { times: 2, delay: () => "1 minute" } satisfies JobKind.Retry

const recordOf = (id: JobId.JobId) => Effect.flatMap(Store, (store) => Effect.flatten(store.get(id)))

const patience = { pause: 5, atMost: "20 seconds" } as const

/** The record of a run that waits for its n-th retry. */
const parked = (id: JobId.JobId, n = 1) =>
  poll(recordOf(id), { until: ({ status, tries }) => status === "parked" && tries === n, ...patience })

const eventsOf = (id: JobId.JobId) =>
  Effect.flatMap(Email, ({ events }) => Effect.map(Stream.runCollect(events(id)), Chunk.toReadonlyArray))

const refuse = (code = 450): Step.Step<unknown> => Step.fail(new Refused({ code }))

/** The first attempts fail, and the next succeeds. */
const failing =
  (failures: number, step: Step.Step<unknown> = refuse()) =>
  ({ tries }: Job): ReadonlyArray<Step.Step<unknown>> => [tries < failures ? step : Step.succeed("sent")]

const layer = (options: Options) =>
  ScriptedOrchestrator.layerOf(Email, { maxJobs: 1, retry: minutely, ...options }).pipe(
    Layer.provideMerge(RunStore.layerMemory)
  )

/** Starts a job, and waits for the end of its first attempt. */
const first = Effect.flatMap(Email, ({ start }) => Effect.tap(start(config), (id) => parked(id)))

describe("a kind that is retried", () => {
  it.scoped("begins the next attempt after a pause, without a permit and with its keys meanwhile", () =>
    Effect.gen(function* () {
      const emails = yield* Email
      const at = yield* DateTime.now
      const id = yield* first
      const error = { kind: "failure", error: { _tag: "Refused", code: "450" } }
      const until = DateTime.add(at, { minutes: 1 })
      expect(yield* recordOf(id)).toMatchObject({
        status: "parked",
        attempt: 1,
        tries: 1,
        waitsFor: "time",
        parked: { reason: "retry 1 of 2", until, retry: { n: 1, of: 2, error } }
      })
      expect(yield* emails.activeCount).toBe(0)
      const conflict = yield* Effect.flip(emails.start(config))
      expect(conflict).toMatchObject({ _tag: "JobConflict", jobId: id, status: "parked", retry: { n: 1, of: 2 } })
      expect(conflict.message).toContain("which is parked, retry 1 of 2 at 1970-01-01 00:01 UTC, holds")
      yield* TestClock.adjust("1 minute")
      yield* parked(id, 2)
      yield* TestClock.adjust("1 minute")
      expect(yield* emails.await(id)).toMatchObject({ status: "completed", attempt: 3, tries: 2, result: "sent" })
      const events = yield* eventsOf(id)
      expect(events.map(({ payload, type }) => [type, payload])).toMatchObject([
        ["job.started", { attempt: 1 }],
        ["email.sent", { tries: 0 }],
        ["job.parked", { reason: "retry 1 of 2", retry: { n: 1, of: 2, error } }],
        ["job.resumed", { attempt: 2, by: "retry" }],
        ["email.sent", { tries: 1 }],
        ["job.parked", { reason: "retry 2 of 2", retry: { n: 2, of: 2, error } }],
        ["job.resumed", { attempt: 3, by: "retry" }],
        ["email.sent", { tries: 2 }],
        ["job.completed", undefined]
      ])
    }).pipe(
      Effect.provide(
        layer({
          key: ({ to }) => to,
          script: (job) => [Step.emit({ type: "email.sent", payload: { tries: job.tries } }), ...failing(2)(job)]
        })
      )
    )
  )

  it.scoped("fails once all retries have failed, and with no retries at the first failure", () =>
    Effect.gen(function* () {
      const emails = yield* Email
      const id = yield* first
      yield* TestClock.adjust("1 minute")
      yield* parked(id, 2)
      yield* TestClock.adjust("1 minute")
      expect(yield* emails.await(id)).toMatchObject({
        status: "failed",
        attempt: 3,
        tries: 2,
        error: { kind: "failure", error: new Refused({ code: 450 }) }
      })
    }).pipe(Effect.provide(layer({ script: failing(3) })))
  )

  it.scoped("retries only the failures that it is to retry, which it sees as they failed", () =>
    Effect.gen(function* () {
      const emails = yield* Email
      const id = yield* first
      yield* TestClock.adjust("1 minute")
      expect(yield* emails.await(id)).toMatchObject({ status: "failed", tries: 1, error: { error: { code: 550 } } })
    }).pipe(
      Effect.provide(
        layer({
          retry: { ...minutely, while: ({ code }) => code < 500 },
          script: ({ tries }) => [refuse(tries === 0 ? 450 : 550)]
        })
      )
    )
  )

  for (const defects of [false, true]) {
    it.scoped(`${defects ? "retries" : "does not retry"} what dies with ${defects ? "defects" : "no option"}`, () =>
      Effect.gen(function* () {
        const emails = yield* Email
        const dying = yield* defects ? first : emails.start(config)
        if (defects) yield* TestClock.adjust("1 minute")
        expect(yield* emails.await(dying)).toMatchObject(
          defects ? { status: "completed", tries: 1 } : { status: "failed", error: { kind: "defect", error: "boom" } }
        )
      }).pipe(
        Effect.provide(
          layer({ retry: { ...minutely, ...(defects && { defects }) }, script: failing(1, Step.die("boom")) })
        )
      )
    )
  }

  it.scoped("fails at once by `fail`, with the error that it encodes", () =>
    Effect.gen(function* () {
      const emails = yield* Email
      const id = yield* emails.start(config)
      expect(yield* emails.await(id)).toMatchObject({
        status: "failed",
        error: { kind: "failure", error: new Refused({ code: 550 }) }
      })
      expect(yield* recordOf(id)).toMatchObject({ error: { error: { _tag: "Refused", code: "550" } } })
      expect(yield* recordOf(id)).not.toHaveProperty("tries")
    }).pipe(
      Effect.provide(
        layer({
          script: () => [Step.cleanUp(0), (job) => job.fail(new Refused({ code: 550 })), Step.succeed("never")]
        })
      )
    )
  )

  for (const thrown of ["while", "delay"] as const) {
    it.scoped(`fails with a defect beside its failure if ${thrown} throws`, () =>
      Effect.gen(function* () {
        const emails = yield* Email
        const run = yield* emails.await(yield* emails.start(config))
        expect(run).toMatchObject({ status: "failed", error: { kind: "failure", error: { code: 450 } } })
        expect(run.error?.cause).toContain("no such policy")
      }).pipe(
        Effect.provide(
          layer({
            script: failing(1),
            retry: {
              ...minutely,
              [thrown]: () => {
                throw new Error("no such policy")
              }
            }
          })
        )
      )
    )
  }

  it.scoped("pauses for 1 s at first and twice as long each time, ± 20 %, and for an hour at most", () =>
    Effect.gen(function* () {
      const id = yield* first
      const pauses: Array<number> = []
      for (const n of Array.range(1, 14)) {
        const from = (yield* DateTime.now).epochMillis
        const { parked: waits } = yield* parked(id, n)
        const pause = Number(waits?.until?.epochMillis) - from
        pauses.push(pause)
        yield* TestClock.adjust(pause)
      }
      const expected = Array.makeBy(14, (n) => Math.min(2 ** n, 3_600) * 1_000)
      pauses.forEach((pause, i) => {
        expect(pause).toBeGreaterThanOrEqual(0.8 * Number(expected[i]))
        expect(pause).toBeLessThanOrEqual(1.2 * Number(expected[i]))
      })
      expect(new Set(pauses.slice(12)).size).toBe(2)
    }).pipe(Effect.provide(layer({ retry: { times: 20 }, script: failing(20) })))
  )

  it.scoped("is cancelled by a stop, at once, while it waits, and goes on at once if it is resumed", () =>
    Effect.gen(function* () {
      const emails = yield* Email
      const stopped = yield* first
      expect(yield* emails.stop(stopped)).toMatchObject({ status: "cancelled", mode: "graceful" })
      const resumed = yield* first
      yield* emails.resume(resumed)
      expect(yield* emails.await(resumed)).toMatchObject({ status: "completed", tries: 1 })
      expect((yield* eventsOf(resumed)).at(-2)?.payload).toEqual({ attempt: 2, by: "resume", via: "library" })
    }).pipe(Effect.provide(layer({ script: failing(1) })))
  )

  it.scoped("is cancelled with its failure, and not retried, if the attempt fails while it is being stopped", () =>
    Effect.gen(function* () {
      const emails = yield* Email
      const { began, send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const id = yield* emails.start(config)
      // The attempt fails because it is interrupted: it cannot fail before the stop interrupts it.
      yield* send(id, () =>
        Effect.uninterruptibleMask((restore) =>
          Effect.zipRight(Effect.exit(restore(Effect.never)), Effect.fail(new Refused({ code: 450 })))
        )
      )
      yield* began(id)
      expect(yield* emails.stop(id)).toMatchObject({ status: "cancelled" })
      expect(yield* recordOf(id)).toMatchObject({
        status: "cancelled",
        error: { kind: "failure", error: { code: "450" } }
      })
      expect(yield* recordOf(id)).not.toHaveProperty("tries")
    }).pipe(Effect.provide(layer({})))
  )

  it.scoped("is not retried if it is stopped while the failed attempt still cleans up", () =>
    Effect.gen(function* () {
      const emails = yield* Email
      const { began, send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const cleaning = yield* Deferred.make<void>()
      const latch = yield* Deferred.make<void>()
      const id = yield* emails.start(config)
      const cleanUp = Effect.zipRight(Deferred.succeed(cleaning, undefined), Deferred.await(latch))
      yield* send(id, () => Effect.addFinalizer(() => cleanUp), refuse())
      yield* began(id)
      yield* Deferred.await(cleaning)
      const stop = yield* Effect.fork(Effect.flip(emails.stop(id, { grace: "1 second" })))
      yield* Stream.runDrain(Stream.takeUntil(emails.events(id), ({ type }) => type === "job.stopping"))
      yield* TestClock.adjust("2 seconds")
      expect(yield* Fiber.join(stop)).toMatchObject({ _tag: "StopTimedOut" })
      yield* Deferred.succeed(latch, undefined)
      expect(yield* emails.await(id)).toMatchObject({ status: "cancelled", attempt: 1 })
    }).pipe(Effect.provide(layer({ retry: minutely })))
  )

  it.scoped("reads the signal that its predecessor has read, and uses up none", () =>
    Effect.gen(function* () {
      const emails = yield* Email
      const id = yield* emails.start(config)
      yield* emails.signal(id, "approve", "ada")
      yield* Effect.flatMap(ScriptedOrchestrator.ScriptedOrchestrator, ({ send }) => send(id, ...read))
      yield* parked(id)
      yield* TestClock.adjust("1 minute")
      yield* Effect.flatMap(ScriptedOrchestrator.ScriptedOrchestrator, ({ send }) => send(id, ...read))
      expect(yield* emails.await(id)).toMatchObject({ status: "completed", tries: 1, result: "ada" })
      expect(yield* Effect.flatMap(Store, ({ signals }) => signals({ jobId: id, after: 0, limit: 9 }))).toMatchObject([
        { name: "approve", used: false }
      ])
    }).pipe(Effect.provide(layer({})))
  )
})

describe("the retries of a job", () => {
  it.scoped(
    "are counted through restarts, and an attempt that fails while its manager closes is retried by the next",
    () =>
      Effect.gen(function* () {
        const filename = yield* databaseFile
        const stored = RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))
        const life =
          (script: Options["script"] & {}) =>
          <A, E, R>(use: Effect.Effect<A, E, R>) =>
            Effect.provide(
              use,
              ScriptedOrchestrator.layerOf(Email, { retry: minutely, script }).pipe(Layer.provideMerge(stored))
            )
        const latch = yield* Deferred.make<void>()
        const closing = yield* Deferred.make<void>()
        const slow = Effect.uninterruptible(
          Effect.zipRight(
            Effect.zipRight(Deferred.succeed(closing, undefined), Deferred.await(latch)),
            Effect.fail(new Refused({ code: 450 }))
          )
        )
        const id = yield* Effect.gen(function* () {
          const id = yield* Effect.flatMap(Email, ({ start }) => start(config))
          yield* Deferred.await(closing)
          yield* Effect.forkDaemon(Effect.zipRight(Effect.yieldNow(), Deferred.succeed(latch, undefined)))
          return id
        }).pipe(life(() => [() => slow]))
        yield* TestClock.adjust("1 minute")
        const run = yield* Effect.flatMap(Email, (emails) => emails.await(id)).pipe(life(failing(1)))
        expect(run).toMatchObject({ status: "completed", attempt: 2, tries: 1 })
      })
  )
})

/** Fails in the first attempt, and succeeds with its signal in the next. */
const read: ReadonlyArray<Step.Step<Job>> = [
  (job) =>
    Effect.flatMap(job.signal("approve"), (approval) =>
      job.tries === 0 ? new Refused({ code: 450 }) : Step.succeed(Option.getOrNull(approval))(job)
    )
]

describe("the options of retries", () => {
  const problem = (layer: Layer.Layer<never, unknown, RunStore.RunStore>) =>
    Effect.map(Effect.exit(Layer.build(layer).pipe(Effect.provide(RunStore.layerMemory))), (exit) =>
      Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""
    )

  it.scoped("are refused if `times` is not a whole number up to 1,000", () =>
    Effect.gen(function* () {
      for (const times of [-1, 1.5, 1_001, Number.NaN]) {
        const layer = Layer.discard(Email.layer({ run: () => Effect.succeed(""), retry: { times } }))
        expect(yield* problem(layer)).toContain(`retry.times is a whole number from 0 to 1000, not ${times}`)
      }
    })
  )

  it.scoped("are refused for the kind tasks, whose tasks have attempts of their own", () =>
    Effect.gen(function* () {
      class Tasks extends JobKind.Tag<Tasks>()("tasks", { config: Schema.Struct({}) }) {}
      const layer = Layer.discard(Tasks.layer({ run: () => Effect.void, retry: { times: 1 } }))
      expect(yield* problem(layer)).toContain("jobs of kind tasks are not retried as a whole")
    })
  )
})
