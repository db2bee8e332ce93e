/** A kind of job: what its manager encodes, records and decodes. */
import { describe, expect, it } from "@effect/vitest"
import { type JobId, JobKind, type Orchestrator, Runs, RunStore } from "charlotte"
import { Chunk, Context, Deferred, Effect, Layer, Option, Schema, type Scope, Stream, TestClock } from "effect"

class SmtpError extends Schema.TaggedError<SmtpError>()("SmtpError", { code: Schema.NumberFromString }) {
  override get message() {
    return `the server answered ${this.code}`
  }
}

class Email extends JobKind.Tag<Email>()("email", {
  config: Schema.Struct({ to: Schema.String, retries: Schema.NumberFromString }),
  success: Schema.Struct({ messageId: Schema.String, at: Schema.Date }),
  error: SmtpError,
  events: { "email.sent": Schema.Struct({ at: Schema.Date, size: Schema.Number }), "email.queued": Schema.Void }
}) {}

class Report extends JobKind.Tag<Report>()("report", { config: Schema.Struct({ title: Schema.String }) }) {}

type EmailJob = Orchestrator.JobContext<
  JobKind.Config<typeof Email>,
  JobKind.Events<typeof Email>,
  JobKind.Signals<typeof Email>
>

const config = { to: "ada@example.com", retries: "2" }
const success = { messageId: "m1", at: new Date(0) }

/** A value that is not what its type says, as plain JavaScript or a cast may make it. */
const mistyped = <A>(value: unknown): A => JSON.parse(JSON.stringify(value))

/** One job of that run, to its end. */
const ended = (run: (job: EmailJob) => Effect.Effect<JobKind.Success<typeof Email>, SmtpError, Scope.Scope>) =>
  Effect.gen(function* () {
    const emails = yield* Email
    const id = yield* emails.start(config)
    const decoded = yield* Effect.either(emails.await(id))
    const raw = yield* Effect.flatMap(Runs.Runs, (runs) => Effect.flatten(runs.get(id)))
    const events = yield* Stream.runCollect(emails.events(id))
    return { decoded, raw, events: Chunk.toReadonlyArray(events) }
  }).pipe(Effect.provide(Layer.provideMerge(Email.layer({ run }), RunStore.layerMemory)))

describe("a kind of job", () => {
  it.effect("records what schemas encode, and answers what they decode", () =>
    Effect.gen(function* () {
      const { decoded, events, raw } = yield* ended(({ config: { retries, to }, emit }) =>
        Effect.gen(function* () {
          yield* emit({ type: "email.queued" })
          yield* emit({ type: "email.sent", payload: { at: new Date(5), size: 1 } })
          return { ...success, messageId: `${to} ${retries + 1}` }
        })
      )
      expect(decoded).toMatchObject({
        right: {
          kind: "email",
          status: "completed",
          config: { to: "ada@example.com", retries: 2 },
          result: { messageId: "ada@example.com 3", at: new Date(0) }
        }
      })
      expect(raw).toMatchObject({ config, result: { messageId: "ada@example.com 3", at: "1970-01-01T00:00:00.000Z" } })
      expect(events.map(({ payload, type }) => [type, payload]).slice(1, 3)).toEqual([
        ["email.queued", undefined],
        ["email.sent", { at: "1970-01-01T00:00:00.005Z", size: 1 }]
      ])
    })
  )

  it.effect("fails with its typed error, whose cause shows the error itself", () =>
    Effect.gen(function* () {
      const { decoded, raw } = yield* ended(() => new SmtpError({ code: 450 }))
      expect(decoded).toMatchObject({
        right: { status: "failed", error: { kind: "failure", error: new SmtpError({ code: 450 }) } }
      })
      expect(raw.error).toMatchObject({ kind: "failure", error: { _tag: "SmtpError", code: "450" } })
      expect(raw.error?.cause).toContain("the server answered 450")
    })
  )

  it.effect("that fails stays failed when a stop arrives while it cleans up", () =>
    Effect.gen(function* () {
      const cleaning = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const stopped = Effect.gen(function* () {
        const emails = yield* Email
        const id = yield* emails.start(config)
        yield* Deferred.await(cleaning)
        const stopping = yield* Effect.fork(emails.stop(id))
        yield* Stream.runHead(Stream.filter(emails.events(id), ({ type }) => type === "job.stopping"))
        yield* Deferred.succeed(go, undefined)
        yield* stopping
        return yield* emails.await(id)
      })
      const run = () =>
        Effect.zipRight(
          Effect.addFinalizer(() => Effect.zipRight(Deferred.succeed(cleaning, undefined), Deferred.await(go))),
          new SmtpError({ code: 1 })
        ).pipe(Effect.scoped)
      const { error, status } = yield* Effect.provide(
        stopped,
        Layer.provide(Email.layer({ run }), RunStore.layerMemory)
      )
      expect({ status, error }).toMatchObject({ status: "failed", error: { error: new SmtpError({ code: 1 }) } })
    })
  )

  it.effect.each([
    [
      "its result",
      (_: EmailJob) => Effect.succeed(mistyped<JobKind.Success<typeof Email>>({ messageId: 1 })),
      "result.messageId"
    ],
    ["its error", (_: EmailJob) => Effect.fail(mistyped<SmtpError>({ _tag: "SmtpError", code: "many" })), "error.code"],
    [
      "an event",
      ({ emit }: EmailJob) =>
        Effect.as(emit({ type: "email.sent", payload: { at: mistyped<Date>("yesterday"), size: 1 } }), success),
      "email.sent.at"
    ],
    [
      "a number that JSON cannot say",
      ({ emit }: EmailJob) =>
        Effect.as(emit({ type: "email.sent", payload: { at: new Date(0), size: Number.NaN } }), success),
      "email.sent.size"
    ]
  ] as const)("has a defect that names the field when it cannot be recorded: %s", ([, run, field]) =>
    Effect.gen(function* () {
      const { decoded, raw } = yield* ended(run)
      expect(raw).toMatchObject({ status: "failed", error: { kind: "defect", error: { _tag: "Unencodable", field } } })
      expect(decoded).toMatchObject({ right: { status: "failed", error: { kind: "defect" } } })
    })
  )

  it.effect("has a defect where it emits an event that it does not declare", () =>
    Effect.gen(function* () {
      const { raw } = yield* ended(({ emit }) =>
        Effect.as(emit(mistyped<Parameters<typeof emit>[0]>({ type: "email.lost" })), success)
      )
      expect(raw.error).toMatchObject({ kind: "defect" })
      expect(raw.error?.cause).toContain("cannot emit an event of type email.lost")
    })
  )

  it.effect("refuses a configuration that does not decode, and names the field", () =>
    Effect.gen(function* () {
      const emails = yield* Email
      const error = yield* Effect.flip(emails.start({ ...config, retries: "many" }))
      expect(error).toMatchObject({ _tag: "InvalidJobConfig", issues: [{ path: ["retries"] }] })
    }).pipe(Effect.provide(Layer.provide(Email.layer({ run: () => Effect.succeed(success) }), RunStore.layerMemory)))
  )

  it.effect("has a job that is active with its configuration, and its typed end", () =>
    Effect.gen(function* () {
      const emails = yield* Email
      const id = yield* emails.start(config)
      const job = yield* Effect.flatten(emails.get(id))
      expect(job.config.retries).toBe(2)
      yield* job.stop()
      expect(yield* job.await).toMatchObject({ status: "cancelled", config: { retries: 2 } })
    }).pipe(Effect.provide(Layer.provide(Email.layer({ run: () => Effect.never }), RunStore.layerMemory)))
  )

  it.effect("without schemas succeeds, fails and emits with any JSON", () =>
    Effect.gen(function* () {
      const reports = yield* Report
      const done = yield* reports.await(yield* reports.start({ title: "done" }))
      expect(done).toMatchObject({ status: "completed", result: ["done", "1"] })
      const failed = yield* reports.await(yield* reports.start({ title: "failed" }))
      expect(failed).toMatchObject({
        status: "failed",
        error: { kind: "failure", error: { reason: "no paper" } }
      })
    }).pipe(
      Effect.provide(
        Layer.provide(
          Report.layer({
            run: ({ config: { title }, emit }) =>
              title === "failed"
                ? Effect.fail({ reason: "no paper" })
                : Effect.as(emit({ type: "any", payload: 1 }), [title, 1n])
          }),
          RunStore.layerMemory
        )
      )
    )
  )

  it.effect("keeps two active jobs of one key apart", () =>
    Effect.gen(function* () {
      const reports = yield* Report
      const id = yield* reports.start({ title: "a" })
      expect(yield* Effect.flip(reports.start({ title: "a" }))).toMatchObject({ _tag: "JobConflict", jobId: id })
      yield* reports.start({ title: "b" })
    }).pipe(
      Effect.provide(
        Layer.provide(Report.layer({ run: () => Effect.never, key: ({ title }) => title }), RunStore.layerMemory)
      )
    )
  )

  it.each(["", "Email", "1email", "e mail", "é", "a".repeat(64)])("is not named %j", (name) => {
    expect(() => JobKind.Tag()(name, { config: Schema.String })).toThrow(/name of a kind/)
  })

  it.effect("has no unknown option in its definition or its layer, also where its type was lost", () =>
    Effect.gen(function* () {
      const definition = { config: Schema.String, sucess: Schema.String }
      expect(() => JobKind.Tag()("a", definition)).toThrow("the definition of kind a has no option sucess")
      const options = { run: () => Effect.void, maxJob: 1, toString: () => "" }
      const built = yield* Effect.exit(Effect.scoped(Layer.build(Report.layer(options))))
      expect(String(built)).toContain("the layer of kind report has no option maxJob, toString")
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it("declares no event of the manager's, and no signal of ours", () => {
    expect(() => JobKind.Tag()("a", { config: Schema.String, events: { "job.done": Schema.Void } })).toThrow(
      /job\.done/
    )
    expect(() => JobKind.Tag()("a", { config: Schema.String, signals: { "charlotte.x": Schema.Void } })).toThrow(
      /charlotte\.x/
    )
  })
})

describe("a record that its kind can no longer decode", () => {
  it.effect("fails an await with UndecodableRun, and is read raw by Runs", () =>
    Effect.gen(function* () {
      class Newer extends JobKind.Tag<Newer>()("report", {
        config: Schema.Struct({ title: Schema.String }),
        success: Schema.Struct({ pages: Schema.Number })
      }) {}
      const id = yield* Effect.flatMap(Report, (reports) =>
        Effect.tap(reports.start({ title: "a" }), (id) => reports.await(id))
      ).pipe(Effect.provide(Report.layer({ run: () => Effect.succeed({ pages: "many" }) })))
      const error = yield* Effect.flatMap(Newer, (reports) => Effect.flip(reports.await(id))).pipe(
        Effect.provide(Newer.layer({ run: () => Effect.never }))
      )
      expect(error).toMatchObject({ _tag: "UndecodableRun", jobId: id, field: "result.pages" })
      const raw = yield* Effect.flatMap(Runs.Runs, (runs) => Effect.flatten(runs.get(id)))
      expect(raw.result).toEqual({ pages: "many" })
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})

class Limits extends Context.Tag("test/Limits")<Limits, { readonly most: number }>() {}

/** Its schema needs a service. */
const Amount = Schema.Struct({
  by: Schema.String,
  amount: Schema.NumberFromString.pipe(
    Schema.filterEffect((amount) => Effect.map(Limits, ({ most }) => amount <= most || `must be at most ${most}`))
  )
})

class Order extends JobKind.Tag<Order>()("order", {
  config: Schema.Struct({}),
  success: Schema.Number,
  signals: { approve: Amount, hurry: Schema.Void }
}) {}

type OrderJob = Orchestrator.JobContext<
  JobKind.Config<typeof Order>,
  JobKind.Events<typeof Order>,
  JobKind.Signals<typeof Order>
>

const orders = (run: (job: OrderJob) => Effect.Effect<number>) =>
  Order.layer({ run }).pipe(Layer.provide(Layer.succeed(Limits, { most: 100 })))

/** Waits for an approval, and succeeds with its amount. */
const approved = orders(({ park, signal }) =>
  Effect.flatMap(
    signal("approve"),
    Option.match({
      onNone: () => park({ reason: "needs an approval", signal: "approve" }),
      onSome: ({ amount }) => Effect.succeed(amount + 1)
    })
  )
)

describe("the signals of a kind", () => {
  it.effect("wake a job that has parked for one, which reads the decoded payload", () =>
    Effect.gen(function* () {
      const manager = yield* Order
      const id = yield* manager.start({})
      yield* Stream.runDrain(Stream.takeUntil(manager.events(id), ({ type }) => type === "job.parked"))
      yield* manager.signal(id, "approve", { by: "Ann", amount: "41" })
      expect(yield* manager.await(id)).toMatchObject({ status: "completed", attempt: 2, result: 42 })
    }).pipe(Effect.provide(Layer.provide(approved, RunStore.layerMemory)))
  )

  it.effect.each([
    ["an undeclared name", "refuse", { by: "Ann", amount: "1" }, "takes the signals approve, hurry"],
    ["a field that is missing", "approve", { amount: "1" }, "payload.by: is missing"],
    ["a field that its schema refuses", "approve", { by: "Ann", amount: "many" }, "payload.amount: "],
    ["a field that a service refuses", "approve", { by: "Ann", amount: "101" }, "payload.amount: must be at most 100"],
    ["a payload that is null", "approve", null, "payload: "]
  ] as const)("are refused at the door: %s", ([, name, payload, reason]) =>
    Effect.gen(function* () {
      const manager = yield* Order
      const id = yield* manager.start({})
      const send: (id: JobId.JobId, name: never, payload: never) => ReturnType<typeof manager.signal> = manager.signal
      const error = yield* Effect.flip(send(id, mistyped(name), mistyped(payload)))
      expect(error).toMatchObject({ _tag: "InvalidSignal", signal: name, reason: expect.stringContaining(reason) })
    }).pipe(Effect.provide(Layer.provide(approved, RunStore.layerMemory)))
  )

  it.effect("may carry nothing where the schema says so", () =>
    Effect.gen(function* () {
      const manager = yield* Order
      const id = yield* manager.start({})
      yield* manager.signal(id, "hurry")
      expect(yield* manager.await(id)).toMatchObject({ status: "completed", result: 1 })
    }).pipe(
      Effect.provide(
        Layer.provide(
          orders(({ park, signal }) =>
            Effect.flatMap(signal("hurry"), (sent) =>
              Option.isSome(sent) ? Effect.succeed(1) : park({ reason: "waits", signal: "hurry" })
            )
          ),
          RunStore.layerMemory
        )
      )
    )
  )

  it.effect("that were kept and no longer decode are a defect that names the field", () =>
    Effect.gen(function* () {
      class Older extends JobKind.Tag<Older>()("order", { config: Schema.Struct({}) }) {}
      const id = yield* Effect.gen(function* () {
        const manager = yield* Older
        const id = yield* manager.start({}, { delay: "1 minute" })
        yield* manager.signal(id, "approve", { by: "Ann", amount: "many" })
        return id
      }).pipe(Effect.provide(Older.layer({ run: () => Effect.never })))
      const run = yield* Effect.gen(function* () {
        const manager = yield* Order
        yield* TestClock.adjust("2 minutes")
        return yield* manager.await(id)
      }).pipe(Effect.provide(approved))
      expect(run).toMatchObject({
        status: "failed",
        error: { kind: "defect", error: { _tag: "UndecodableSignal", field: "approve.amount" } }
      })
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})
