/**
 * What must compile about kinds of jobs, and what must not: each line below `@ts-expect-error` is an error. It is compiled by the
 * type check of the project, and by `declarations.test.ts` as an application may do it.
 */
// @effect-diagnostics floatingEffect:off missingEffectContext:off missingEffectError:off missingLayerContext:off
import type * as FileSystem from "@effect/platform/FileSystem"
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import {
  type errors,
  type JobEvent,
  type JobId,
  JobKind,
  JobManager,
  type Orchestrator,
  type Runs,
  RunStore,
  Subscriber
} from "charlotte"
import { type errors as http, JobClient, JobsApi, Server } from "charlotte/http"
import { type ScriptedOrchestrator, Step, TestManager } from "charlotte/testing"
import { type Chunk, Context, DateTime, Effect, Layer, type Option, type Redacted, Schema, Stream } from "effect"

export class Sent extends Schema.Class<Sent>("Sent")({ to: Schema.String, at: Schema.NumberFromString }) {}

export class SmtpError extends Schema.TaggedError<SmtpError>()("SmtpError", { code: Schema.NumberFromString }) {}

export class Smtp extends Context.Tag("app/Smtp")<
  Smtp,
  { readonly deliver: (to: string) => Effect.Effect<string> }
>() {}

export class Limits extends Context.Tag("app/Limits")<Limits, { readonly allowed: ReadonlyArray<string> }>() {}

export class Email extends JobKind.Tag<Email>()("email", {
  config: Schema.Struct({ to: Schema.String, retries: Schema.NumberFromString }),
  success: Schema.Struct({ messageId: Schema.String, at: Schema.Date }),
  error: SmtpError,
  events: { "email.sent": Sent, "email.queued": Schema.Void },
  signals: { approve: Schema.Struct({ until: Schema.Date }), hurry: Schema.Void }
}) {}

interface Approval {
  readonly until: Date
}

/** Success, error, events and signals are left out. */
export class Report extends JobKind.Tag<Report>()("report", { config: Schema.Struct({ title: Schema.String }) }) {}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Equal<A, B>) => {}
/** The errors that the first type has and the second one lacks. */
type Without<
  A extends Effect.Effect<unknown, unknown, unknown>,
  B extends Effect.Effect<unknown, unknown, unknown>
> = Exclude<Effect.Effect.Error<A>, Effect.Effect.Error<B>>

same<JobKind.Config<typeof Email>, { readonly to: string; readonly retries: number }>(true)
same<JobKind.Encoded<typeof Email>, { readonly to: string; readonly retries: string }>(true)
same<JobKind.Success<typeof Email>, { readonly messageId: string; readonly at: Date }>(true)
same<JobKind.Error<typeof Email>, SmtpError>(true)
same<JobKind.Events<typeof Email>, { readonly "email.sent": Sent; readonly "email.queued": void }>(true)
same<JobKind.Signals<typeof Email>, { readonly approve: Approval; readonly hurry: void }>(true)
same<JobKind.EncodedSignals<typeof Email>, { readonly approve: { readonly until: string }; readonly hurry: void }>(true)
same<JobKind.EncodedSignals<typeof Report>, Orchestrator.AnySignals>(true)
same<JobKind.Success<typeof Report>, unknown>(true)
same<JobKind.Error<typeof Report>, unknown>(true)

/** The manager is a service whose type names its parts. */
export const manager: Effect.Effect<
  JobManager.Service<
    JobKind.Config<typeof Email>,
    JobKind.Encoded<typeof Email>,
    JobKind.Success<typeof Email>,
    SmtpError,
    JobKind.EncodedSignals<typeof Email>,
    JobKind.Event<typeof Email>
  >,
  never,
  Email
> = Email

/** Whose events are read as those of any job. */
export const anyEvents: Effect.Effect<
  Pick<JobManager.Service<unknown, never>, "events" | "allEvents">,
  never,
  Email
> = Email

/** Inferred types are exported, so a declaration has to name them. */
export const emailLayer = Email.layer({
  run: ({ config, emit, park, signal }) =>
    Effect.gen(function* () {
      const approval = yield* signal("approve")
      same<typeof approval, Option.Option<Approval>>(true)
      if (approval._tag === "None") return yield* park({ reason: "needs an approval", signal: "approve" })
      yield* emit({ type: "email.queued" })
      yield* emit({ type: "email.sent", unit: "smtp", payload: new Sent({ to: config.to, at: config.retries }) })
      const smtp = yield* Smtp
      yield* Effect.addFinalizer(() => Effect.void)
      if (config.retries > 3) return yield* new SmtpError({ code: 450 })
      return { messageId: yield* smtp.deliver(config.to), at: new Date(0) }
    }),
  check: ({ to }) => Effect.map(Limits, ({ allowed }) => ({ key: allowed.find((other) => other === to) ?? to })),
  key: ({ to }) => to,
  labels: ({ to }) => ({ to }),
  maxJobs: 3,
  retry: { times: 5, while: ({ code }) => code < 500, defects: true, timeouts: false, delay: { base: "1 second" } },
  timeout: "10 minutes",
  stopGrace: "1 second",
  recovery: "manual"
})

same<
  typeof emailLayer,
  Layer.Layer<Email, errors.StoreError | errors.AlreadyManaged, RunStore.RunStore | Smtp | Limits>
>(true)

/** A kind is retried for its own errors, and fails with these alone. */
export const retried = Email.layer({
  retry: { times: 2, delay: (n) => n * 1_000 },
  run: ({ fail, tries }) => fail(new SmtpError({ code: tries }))
})
same<
  typeof retried,
  Layer.Layer<Email | JobKind.Producer<Email>, errors.StoreError | errors.AlreadyManaged, RunStore.RunStore>
>(true)
// @ts-expect-error -- the error of the kind has no status
Email.layer({ retry: { times: 1, while: ({ status }) => status < 500 }, run: () => Effect.never })
// @ts-expect-error -- retries are counted
Email.layer({ retry: { delay: { base: "1 second" } }, run: () => Effect.never })
// @ts-expect-error -- the kind fails with SmtpError
Email.layer({ run: ({ fail }) => fail("broken") })
// @ts-expect-error -- tasks have attempts of their own
JobManager.layer({ retry: { times: 1 } })

declare const job: Parameters<Parameters<typeof Email.layer>[0]["run"]>[0]
declare const delivered: Effect.Effect<Sent, SmtpError, Smtp>

/** A step has the value, the error and the services of its effect. */
export const step = job.step("deliver", delivered, { success: Sent, error: SmtpError })
same<typeof step, typeof delivered>(true)
export const plainStep = job.step("count", Effect.succeed(1))
same<typeof plainStep, Effect.Effect<number>>(true)
same<typeof job.stopping, Effect.Effect<boolean>>(true)
same<typeof job.cancel, Effect.Effect<never>>(true)

/** A value that JSON reads back needs no schema. */
interface Receipt {
  readonly id: string
  note?: string
  readonly lines: ReadonlyArray<{ cents: number; paid: boolean | null }>
}
interface Tree {
  readonly value: number
  readonly children: ReadonlyArray<Tree>
}
type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [name: string]: Json }
declare const value: <A>() => Effect.Effect<A>
export const readBack = [
  job.step("interface", value<Receipt>()),
  job.step("optional", value<{ a?: string; b?: number | undefined }>()),
  job.step("recursive", value<Tree>()),
  job.step("json", value<Json>()),
  job.step("void", Effect.void),
  job.step("undefined", value<undefined>()),
  job.step("unknown", value<unknown>()),
  // oxlint-disable-next-line typescript/no-explicit-any -- it is the type to test
  job.step("any", value<any>()),
  job.step("never", Effect.never),
  job.step("array", value<Array<string>>()),
  job.step("tuple", value<readonly [string, number?]>()),
  job.step("record", value<Record<string, unknown>>()),
  job.step("union", value<{ readonly _tag: "a"; n: number } | { readonly _tag: "b" }>()),
  job.step("literal", value<"a" | "b" | 3>()),
  job.step("brand", value<JobId.JobId>()),
  job.step("error", Effect.fail(new Map()), { error: Schema.Any })
]
// @ts-expect-error -- JSON makes text of a date
job.step("date", value<Date>())
// @ts-expect-error -- also deep inside
job.step("inside", value<{ readonly items: ReadonlyArray<{ at?: Date }> }>())
// @ts-expect-error -- JSON makes an array of a map
job.step("map", value<ReadonlyMap<string, number>>())
// @ts-expect-error -- JSON has no bigint
job.step("bigint", value<bigint>())
// @ts-expect-error -- JSON reads back a plain object
job.step("option", value<Option.Option<string>>())
// @ts-expect-error -- JSON reads back a plain object
job.step("chunk", value<Chunk.Chunk<string>>())
// @ts-expect-error -- JSON makes text of it
job.step("time", value<DateTime.Utc>())
// @ts-expect-error -- JSON makes a placeholder of a secret
job.step("secret", value<Redacted.Redacted>())
// @ts-expect-error -- JSON makes an object of bytes
job.step("bytes", value<Uint8Array>())
// @ts-expect-error -- JSON leaves functions out
job.step("function", value<{ readonly close: () => void }>())
/** Where the type is not known, a schema says how it is read back. */
export const generic = <A, I>(name: string, effect: Effect.Effect<A>, success: Schema.Schema<A, I>) =>
  job.step(name, effect, { success })
// @ts-expect-error -- nothing says how it is read back
export const generically = <A>(name: string, effect: Effect.Effect<A>) => job.step(name, effect)
// @ts-expect-error -- the schema describes another value
export const misread = job.step("deliver", delivered, { success: Schema.Struct({ other: Schema.String }) })

Email.layer({ onStop: "run", run: ({ stopping }) => Effect.zipRight(stopping, Effect.never) })
// @ts-expect-error -- a stop cancels or runs
Email.layer({ onStop: "continue", run: () => Effect.never })
// @ts-expect-error -- tasks have no compensation
JobManager.layer({ onStop: "run" })

/** A run that needs its scope alone leaves nothing of it in the layer. */
export const reportLayer = Report.layer({ run: () => Effect.acquireRelease(Effect.succeed(1), () => Effect.void) })
same<
  typeof reportLayer,
  Layer.Layer<Report | JobKind.Producer<Report>, errors.StoreError | errors.AlreadyManaged, RunStore.RunStore>
>(true)

/** What a start needs is in the definition, so that a producer, which has no layer, knows it, too. */
export class Invoice extends JobKind.Tag<Invoice>()("invoice", {
  config: Schema.Struct({ order: Schema.NumberFromString, customer: Schema.String }),
  success: Schema.Struct({ number: Schema.Int }),
  signals: { approve: Schema.Struct({ until: Schema.Date }), hurry: Schema.Void },
  key: ({ order }) => String(order + 1),
  labels: ({ customer }) => ({ customer }),
  maxQueued: 100
}) {}

export const invoiceProducer = Invoice.producer
same<typeof invoiceProducer, Layer.Layer<JobKind.Producer<Invoice>, errors.StoreError, RunStore.RunStore>>(true)
export const invoiceLayer = Invoice.layer({ run: () => Effect.succeed({ number: 1 }) })
same<Layer.Layer.Success<typeof invoiceLayer>, Invoice | JobKind.Producer<Invoice>>(true)
/** The key of the definition is known to producers, whatever the layer says besides. */
export const keyedTwice = Invoice.layer({ key: ({ customer }) => customer, run: () => Effect.succeed({ number: 1 }) })
same<Layer.Layer.Success<typeof keyedTwice>, Invoice | JobKind.Producer<Invoice>>(true)

export const producing = Effect.gen(function* () {
  const invoices = yield* Invoice.Producer
  const started = invoices.start({ order: "1", customer: "Ann" }, { priority: 1, key: "other", whenKeyTaken: "queue" })
  same<
    Effect.Effect.Error<typeof started>,
    errors.InvalidJobConfig | errors.JobConflict | errors.QueueFull | errors.IdempotencyKeyReused | errors.StoreError
  >(true)
  const id = yield* started
  yield* invoices.signal(id, "approve", { until: "2026-01-31" }, { by: "Ann" })
  yield* invoices.signal(id, "hurry")
  yield* invoices.stop(id, { grace: "1 second" })
  const run = yield* invoices.await(id)
  same<typeof run, JobKind.Run<typeof Invoice>>(true)
  yield* Stream.runForEach(invoices.events(id), (event) => {
    same<typeof event, JobEvent.JobEvent>(true)
    return Effect.void
  })
  return yield* RunStore.transaction(invoices.startMany([{ order: "2", customer: "Bea" }]))
})
same<Effect.Effect.Context<typeof producing>, JobKind.Producer<Invoice> | RunStore.RunStore>(true)

/** Handlers are the same in one process and in two. */
const inOneProcess: Effect.Effect<unknown, unknown, RunStore.RunStore> = Effect.provide(producing, invoiceLayer)
const inTwoProcesses: Effect.Effect<unknown, unknown, RunStore.RunStore> = Effect.provide(producing, Invoice.producer)
export const providedProducers = [inOneProcess, inTwoProcesses]

// @ts-expect-error -- `key` and `labels` are in the layer only, where a producer in another process does not find them
export const hiddenKey: Layer.Layer<JobKind.Producer<Email>, unknown, RunStore.RunStore | Smtp | Limits> = emailLayer

export const wrongProducer = Effect.gen(function* () {
  const invoices = yield* Invoice.Producer
  // @ts-expect-error -- a field of the configuration is missing
  yield* invoices.start({ order: "1" })
  // @ts-expect-error -- a producer always queues
  yield* invoices.start({ order: "1", customer: "Ann" }, { whenFull: "refuse" })
  const id = yield* invoices.start({ order: "1", customer: "Ann" })
  // @ts-expect-error -- the kind declares no such signal
  yield* invoices.signal(id, "refuse")
  // @ts-expect-error -- a producer has no jobs of its own
  yield* invoices.list
})

const ordered = Schema.Struct({ order: Schema.Int })
// @ts-expect-error -- the key is made of the decoded configuration
export const wrongKey = JobKind.Tag<Report>()("invoice", { config: ordered, key: ({ order }) => order })
// @ts-expect-error -- the configuration has no such field
export const wrongField = JobKind.Tag<Report>()("invoice", { config: ordered, key: ({ customer }) => customer })

export const sending = Effect.gen(function* () {
  const emails = yield* Email
  const id = yield* emails.start({ to: "ada@example.com", retries: "1" })
  const run = yield* emails.await(id)
  same<typeof run, JobKind.Run<typeof Email>>(true)
  const to: string = run.config.to
  const retries: number = run.config.retries
  switch (run.status) {
    case "completed":
      return { to, retries, messageId: run.result.messageId, at: run.result.at.getTime() }
    case "failed": {
      const { error } = run
      return error.kind === "failure" ? error.error.code : String(error.error)
    }
    default:
      return run.status
  }
})

export const awaiting = Effect.flatMap(Email, (emails) => Effect.map(emails.list, (ids) => ids.map(emails.await)))

/** Events carry what schemas encode. */
export const following = Effect.gen(function* () {
  const emails = yield* Email
  const remote = yield* EmailClient
  const reports = yield* Report
  const id = yield* emails.start({ to: "ada@example.com", retries: "1" })
  const seen = (event: JobKind.Event<typeof Email>): string | undefined => {
    if (event.type === "email.sent") {
      same<typeof event.payload, { readonly to: string; readonly at: string }>(true)
      return `${event.seq} ${event.unit} ${event.payload.to}`
    }
    return event.type === "job.parked" ? String(event.payload) : undefined
  }
  yield* Stream.runForEach(emails.events(id), (event) => Effect.log(seen(event)))
  yield* Stream.runForEach(emails.allEvents(), (event) => Effect.log(seen(event)))
  yield* Stream.runForEach(remote.events(id), (event) => Effect.log(seen(event)))
  const active = yield* Effect.flatten(emails.get(id))
  yield* Stream.runForEach(active.events(), (event) => Effect.log(seen(event)))
  yield* Stream.runForEach(reports.events(id), (event) => {
    same<typeof event, JobEvent.JobEvent>(true)
    return Effect.void
  })
})

/** A start that may wait, as inside a transaction, is refused neither for want of a permit nor by a pause. */
export const queueing = Effect.gen(function* () {
  const emails = yield* Email
  const remote = yield* EmailClient
  const config = { to: "ada@example.com", retries: "1" }
  const started = emails.start(config)
  const queued = emails.start(config, { whenFull: "queue", priority: 1 })
  const either = emails.start(config, { whenFull: Math.random() < 0.5 ? "queue" : "refuse" })
  const sent = remote.start(config, { whenFull: "queue" })
  same<Without<typeof started, typeof queued>, errors.MaxJobsReached | errors.KindPaused>(true)
  same<Without<typeof either, typeof queued>, errors.MaxJobsReached | errors.KindPaused>(true)
  same<Extract<Effect.Effect.Error<typeof sent>, errors.MaxJobsReached | errors.KindPaused>, never>(true)
  const options: JobManager.StartOptions = { whenFull: "queue" }
  const any = emails.start(config, options)
  same<Effect.Effect.Error<typeof any>, Effect.Effect.Error<typeof started>>(true)
  // @ts-expect-error -- there is no such option
  yield* emails.start(config, { whenFull: "queue", priorty: 1 })
  return yield* queued
})

/** A service that adds to `start`. */
export const decorated = Layer.effect(
  Email,
  Effect.map(Email, (emails) =>
    Email.of({
      ...emails,
      start: (config, options) => Effect.tap(emails.start(config, options), Effect.log(config.to))
    })
  )
)

/** Signals carry what schemas encode, and a kind without schemas takes any. */
export const signalling = Effect.gen(function* () {
  const emails = yield* Email
  const remote = yield* EmailClient
  const reports = yield* Report
  const id = yield* emails.start({ to: "ada@example.com", retries: "1" })
  yield* emails.signal(id, "approve", { until: "2026-01-31" }, { by: "Ann" })
  yield* emails.signal(id, "hurry")
  yield* remote.signal(id, "approve", { until: "2026-01-31" })
  yield* reports.signal(id, "anything", { at: 1 })
})

/** A test double. */
export const double = Layer.effect(
  Email,
  Effect.map(Email, (emails) => Email.of({ ...emails, activeCount: Effect.succeed(0) }))
)

/** The manager of tasks is a kind, too; its records are raw. */
same<JobKind.Config<typeof JobManager.JobManager>, typeof JobManager.JobManager.config.Type>(true)
export const tasks = Effect.flatMap(JobManager.JobManager, (manager) =>
  Effect.map(manager.list, (ids) => ids.map(manager.await))
)

/** A server needs the managers of its kinds and `Runs`; a client has the types of its kind. */
export const api = JobsApi.make([Email, Report])
export const server = Server.layer({ listen: { socket: "app.socket" }, api })
same<typeof server, Layer.Layer<Server.Server, http.ListenError, Email | Report | Runs.Runs>>(true)
export const handlers = JobsApi.layer(HttpApi.make("app").addHttpApi(api))
same<Layer.Layer.Context<typeof handlers>, Email | Report | Runs.Runs | FileSystem.FileSystem>(true)
export const tasksServer = Server.layer({ listen: { socket: "app.socket" } })
same<Layer.Layer.Context<typeof tasksServer>, JobManager.JobManager | RunStore.RunStore>(true)

export const EmailClient = JobClient.of(Email)
export const remote = Effect.gen(function* () {
  const emails = yield* EmailClient
  const run = yield* emails.await(yield* emails.start({ to: "ada@example.com", retries: "1" }))
  same<typeof run, JobKind.Run<typeof Email>>(true)
  const client = yield* HttpApiClient.make(api)
  return yield* client.kinds.report({ payload: { config: { title: run.config.to } } })
}).pipe(Effect.provide(EmailClient.layer({ socket: "app.socket" })))

export const tested = TestManager.layerOf(Email, {
  maxJobs: 1,
  script: ({ config }) => [
    Step.emit({ type: "email.queued" }),
    (job) => job.emit({ type: "email.sent", payload: new Sent({ to: config.to, at: 1 }) }),
    Step.wait("1 day")
  ]
})
same<
  typeof tested,
  Layer.Layer<
    Email | JobKind.Producer<Email> | RunStore.RunStore | Runs.Runs | ScriptedOrchestrator.ScriptedOrchestrator
  >
>(true)

// ── What must not compile ──

// @ts-expect-error -- the kind declares no such event
TestManager.layerOf(Email, { script: () => [Step.emit({ type: "email.lost" })] })

export const wrongRequest = Effect.gen(function* () {
  const client = yield* HttpApiClient.make(api)
  // @ts-expect-error -- the configuration is that of another kind
  yield* client.kinds.report({ payload: { config: { to: "ada@example.com" } } })
  // @ts-expect-error -- the API has no such kind
  yield* client.kinds.invoice({ payload: { config: {} } })
  const emails = yield* EmailClient
  // @ts-expect-error -- a field of the configuration is missing
  yield* emails.start({ to: "ada@example.com" })
})

export const wrong = Effect.gen(function* () {
  const emails = yield* Email
  yield* Stream.runForEach(emails.allEvents(), (event) => {
    // @ts-expect-error -- the kind declares no such event
    if (event.type === "email.lost") return Effect.void
    // @ts-expect-error -- the payload has no such field
    return event.type === "email.sent" ? Effect.log(event.payload.from) : Effect.void
  })
  // @ts-expect-error -- a field of the configuration is missing
  yield* emails.start({ to: "ada@example.com" })
  // @ts-expect-error -- a field of the configuration is of another type
  yield* emails.start({ to: "ada@example.com", retries: 1 })
  const run = yield* Effect.flatMap(emails.list, ([id]) => (id ? emails.await(id) : Effect.never))
  // @ts-expect-error -- only a completed run has a result
  yield* Effect.log(run.result.messageId)
  if (run.status === "failed" && run.error.kind === "failure") {
    // @ts-expect-error -- the error has no such field
    yield* Effect.log(run.error.error.reason)
  }
  if (run.status === "failed" && run.error.kind === "defect") {
    // @ts-expect-error -- a defect is unknown
    yield* Effect.log(run.error.error.code)
  }
})

export const wrongSignal = Effect.gen(function* () {
  const emails = yield* Email
  const remote = yield* EmailClient
  const [id] = yield* emails.list
  if (id === undefined) return
  // @ts-expect-error -- the kind declares no such signal
  yield* emails.signal(id, "refuse")
  // @ts-expect-error -- the payload is that of no signal of this name
  yield* emails.signal(id, "approve", { until: 1 })
  // @ts-expect-error -- the payload is missing
  yield* emails.signal(id, "approve")
  // @ts-expect-error -- the kind declares no such signal
  yield* remote.signal(id, "refuse")
})

Email.layer({
  run: ({ emit, park, signal }) =>
    Effect.gen(function* () {
      // @ts-expect-error -- the kind declares no such signal
      yield* signal("refuse")
      // @ts-expect-error -- the kind declares no such signal
      yield* Effect.fork(park({ reason: "waits", signal: "refuse" }))
      // @ts-expect-error -- it parks until a time, for a signal, or both
      yield* Effect.fork(park({ reason: "waits" }))
      yield* Effect.fork(park({ reason: "waits", until: DateTime.unsafeNow() }))
      // @ts-expect-error -- the payload is that of no event of this type
      yield* emit({ type: "email.sent", payload: { to: 1 } })
      // @ts-expect-error -- the payload is missing
      yield* emit({ type: "email.sent" })
      // @ts-expect-error -- the kind declares no such event
      yield* emit({ type: "email.lost" })
      return { messageId: "1", at: new Date(0) }
    })
})

// @ts-expect-error -- what the job succeeds with is not what the kind says
Email.layer({ run: () => Effect.succeed({ messageId: 1, at: new Date(0) }) })

// @ts-expect-error -- what the job fails with is not what the kind says
Email.layer({ run: () => Effect.fail("no connection") })

// @ts-expect-error -- a service of `run` is missing
export const missing: Layer.Layer<Email, errors.StoreError | errors.AlreadyManaged, RunStore.RunStore> = emailLayer

// @ts-expect-error -- the manager of one kind is not that of another
export const other: Layer.Layer<Report, errors.StoreError | errors.AlreadyManaged, RunStore.RunStore | Smtp | Limits> =
  emailLayer

/** What is called after the end gets the decoded run, and its services from the layer. */
export const ending: Layer.Layer<
  Email | JobKind.Producer<Email>,
  errors.StoreError | errors.AlreadyManaged,
  RunStore.RunStore | Limits
> = Email.layer({
  run: () => Effect.succeed({ messageId: "1", at: new Date(0) }),
  onEnd: (run) =>
    Effect.flatMap(Limits, ({ allowed }) => {
      same<typeof run, JobKind.Run<typeof Email>>(true)
      return allowed.includes(run.config.to) ? Effect.log(run.config.retries) : Effect.fail("not allowed")
    })
})

/** A subscriber gets its services from its layer. */
export const subscribed: Layer.Layer<never, errors.StoreError | errors.AlreadySubscribed, RunStore.RunStore | Smtp> =
  Subscriber.layer("mails", { kinds: [Email, "report"], from: "now" }, (received) =>
    Effect.flatMap(Smtp, ({ deliver }) =>
      received._tag === "Event" ? deliver(`${received.kind} ${received.event.type}`) : Effect.fail(received.from)
    )
  )

// @ts-expect-error -- where a new subscriber begins has to be chosen
Subscriber.layer("mails", {}, () => Effect.void)
