/** Every error has a status of its own, wherever it comes from, and its body is the error as it is encoded, with its sentence. */
import { describe, expect, it } from "@effect/vitest"
import { errors, JobId, RunStore } from "charlotte"
import * as Http from "charlotte/http"
import { Context, DateTime, Duration, Effect, Logger, LogLevel, Schema } from "effect"
import manifest from "../../../package.json" with { type: "json" }
import { Question } from "../../../src/domain/Question.js"
import { UnitRecord, Work } from "../../../src/domain/Work.js"
import { typedStart } from "../../../src/domain/StartOptions.js"
import { task } from "../../store/work.js"
import { config, unknownId as jobId } from "../../support/jobs.js"
import * as requests from "../requests.js"
import { type Manager, worldOf } from "../stub.js"
import type { Health } from "../../../src/manager/JobManager.js"

const storeError = (reason: errors.StoreError["reason"]) =>
  new errors.StoreError({ operation: "start a job", reason, cause: new Error("the disk") })

const elapsed = Duration.seconds(6)
const issues = [
  { path: ["repoPath"], message: "must be an absolute path" },
  { path: ["concurrency"], message: "must be a whole number, 1 or more" }
]

const post = (path: string, body?: unknown): requests.Sent => ({
  method: "POST",
  path: `/api/v1${path}`,
  ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } })
})

const start = (error: Effect.Effect.Error<ReturnType<Manager["start"]>>) => ({
  error,
  methods: { start: typedStart(() => Effect.fail(error)) },
  sent: post("/jobs", config)
})
const stop = (error: Effect.Effect.Error<ReturnType<Manager["stop"]>>) => ({
  error,
  methods: { stop: () => Effect.fail(error) },
  sent: post(`/jobs/${jobId}/stop`)
})
const signal = (error: Effect.Effect.Error<ReturnType<Manager["signal"]>>) => ({
  error,
  methods: { signal: () => Effect.fail(error) },
  sent: post(`/jobs/${jobId}/signals/go`, {})
})
const resume = (error: Effect.Effect.Error<ReturnType<Manager["resume"]>>) => ({
  error,
  methods: { resume: () => Effect.fail(error) },
  sent: post(`/jobs/${jobId}/resume`)
})
const reschedule = (error: Effect.Effect.Error<ReturnType<Manager["reschedule"]>>) => ({
  error,
  methods: { reschedule: () => Effect.fail(error) },
  sent: post(`/jobs/${jobId}/reschedule`, { priority: 1 })
})
const retry = (error: Effect.Effect.Error<ReturnType<Manager["retry"]>>) => ({
  error,
  methods: { retry: () => Effect.fail(error) },
  sent: post(`/jobs/${jobId}/retry`)
})
const remove = (error: Effect.Effect.Error<ReturnType<Manager["remove"]>>) => ({
  error,
  methods: { remove: () => Effect.fail(error) },
  sent: { method: "DELETE", path: `/api/v1/jobs/${jobId}` }
})

const cases = [
  [422, start(new errors.InvalidJobConfig({ issues }))],
  [409, start(new errors.JobConflict({ jobId, key: "1:2 main", keyName: "branch main of /repo" }))],
  [429, start(new errors.MaxJobsReached({ maxJobs: 2 }))],
  [429, start(new errors.QueueFull({ maxQueued: 2 }))],
  [409, start(new errors.KindPaused({ kind: "tasks" }))],
  [422, start(new errors.IdempotencyKeyReused({ key: "k", jobId }))],
  [503, start(new errors.ShuttingDown())],
  [507, start(storeError("full"))],
  [400, start(storeError("invalid"))],
  [503, start(storeError("busy"))],
  [503, start(storeError("closed"))],
  [500, start(storeError("readonly"))],
  [500, start(storeError("corrupt"))],
  [500, start(storeError("replaced"))],
  [500, start(storeError("version"))],
  [500, start(storeError("other"))],
  [404, stop(new errors.JobNotFound({ jobId }))],
  [504, stop(new errors.StopTimedOut({ jobId, elapsed }))],
  [507, stop(storeError("full"))],
  [404, resume(new errors.JobNotFound({ jobId }))],
  [409, resume(new errors.NotResumable({ jobId, status: "completed" }))],
  [409, resume(new errors.JobConflict({ jobId, key: "/repo main" }))],
  [429, resume(new errors.MaxJobsReached({ maxJobs: 2 }))],
  [503, resume(new errors.ShuttingDown())],
  [409, reschedule(new errors.NotReschedulable({ jobId, status: "running" }))],
  [409, remove(new errors.NotRemovable({ jobId, reason: "active" }))],
  [409, retry(new errors.NotRetryable({ jobId, status: "failed", field: "config.to", reason: "is missing" }))],
  [404, signal(new errors.JobNotFound({ jobId }))],
  [409, signal(new errors.JobEnded({ jobId, status: "failed" }))],
  [422, signal(new errors.InvalidSignal({ signal: "go", reason: "its payload is wrong" }))],
  [429, signal(new errors.TooManySignals({ jobId, limit: 1_000 }))]
] as const

const encoded = Schema.encodeUnknownSync(
  Schema.Union(...Object.values(errors)).pipe(Schema.annotations({ identifier: "an error" }))
)

describe("status of a domain error", () => {
  for (const [status, { error, methods, sent }] of cases) {
    const reason = error._tag === "StoreError" ? ` (${error.reason})` : ""
    it.scopedLive(`${status} for ${error._tag}${reason} of ${sent.path}`, () =>
      Effect.gen(function* () {
        const world = yield* worldOf(methods)
        const answer = yield* world.send(sent)
        expect(answer.status).toBe(status)
        expect(answer.json).toEqual({ ...encoded(error), message: error.message })
        expect(answer.text).not.toMatch(/ at |\.ts:|node_modules/)
        expect("retry-after" in answer.headers).toBe(status === 429 || status === 503)

        // The typed client gives back what the manager failed with.
        const call: Effect.Effect<unknown, unknown> = sent.path.endsWith("stop")
          ? world.byPort.stop(jobId)
          : sent.path.endsWith("resume")
            ? world.byPort.resume(jobId)
            : sent.method === "DELETE"
              ? world.byPort.remove(jobId)
              : sent.path.endsWith("retry")
                ? world.byPort.retry(jobId)
                : sent.path.endsWith("reschedule")
                  ? world.byPort.reschedule(jobId, { priority: 1 })
                  : sent.path.endsWith("go")
                    ? world.byPort.signal(jobId, "go")
                    : world.byPort.start(config)
        const failure = yield* Effect.flip(call)
        expect(failure).toBeInstanceOf(error.constructor)
        expect(failure).toMatchObject({ message: error.message })
      })
    )
  }
})

/** What only a client meets, or only whoever starts a server. */
const notSent = [
  "ListenError",
  "ConnectionFailed",
  "DaemonNotRunning",
  "InvalidRequest",
  "UnexpectedAnswer",
  // Records are sent raw, and decoded by who reads them.
  "UndecodableRun",
  // A manager is not made, or does not write, for these, or only a job sees them: no request ever does.
  "ChildFailed",
  "NodeConflict",
  "AlreadyManaged",
  "AlreadySubscribed",
  "InvalidCron",
  "Superseded"
]

const stored = JobId.make("01ARZ3NDEKTSV4RRFFQ69G5FAW")

const get = (path: string, headers: { readonly [name: string]: string } = {}): requests.Sent => ({ path, headers })

interface Case {
  readonly status: number
  readonly tag: string
  readonly sent: requests.Sent
  /** What else is in the body. */
  readonly holds: object
}

const refused = (status: number, reason: string, sent: requests.Sent): Case => ({
  status,
  tag: "RequestRefused",
  sent,
  holds: { reason }
})

const others: ReadonlyArray<Case> = [
  refused(400, "address", get("*")),
  refused(400, "json", { ...post("/jobs", 1), body: "{" }),
  refused(400, "json", { ...post("/jobs/retry", 1), body: "{" }),
  refused(403, "host", get("/healthz", { host: "example.com" })),
  refused(403, "origin", get("/healthz", { origin: "http://localhost" })),
  refused(403, "site", get("/healthz", { "sec-fetch-site": "cross-site" })),
  refused(400, "depth", { ...post("/jobs", 1), body: "[".repeat(101) }),
  refused(413, "size", post("/jobs", "x".repeat(2_000))),
  refused(415, "content", { ...post("/jobs", config), headers: { "content-type": "text/plain" } }),
  refused(431, "headers", get("/healthz", Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`x-${n}`, ""])))),
  refused(503, "limit", get("/api/v1/events")),
  {
    status: 412,
    tag: "VersionMismatch",
    sent: get("/healthz", { "charlotte-version": "0.0.9" }),
    holds: { client: "0.0.9", daemon: manifest.version }
  },
  { status: 404, tag: "NoSuchKind", sent: get("/api/v1/jobs?kind=email"), holds: { kind: "email", kinds: ["tasks"] } },
  {
    status: 404,
    tag: "SubscriberNotFound",
    sent: { ...get("/api/v1/subscribers/invoices"), method: "DELETE" },
    holds: { subscriber: "invoices" }
  },
  {
    status: 404,
    tag: "ScheduleNotFound",
    sent: { ...get("/api/v1/schedules/tasks/weekly"), method: "DELETE" },
    holds: { kind: "tasks", schedule: "weekly" }
  },
  {
    status: 409,
    tag: "ScheduleNotLive",
    sent: post("/schedules/tasks/nightly/run"),
    holds: { kind: "tasks", schedule: "nightly" }
  },
  { status: 404, tag: "NoSuchRoute", sent: get("/api/v1/job?x=y"), holds: { method: "GET", path: "/api/v1/job" } },
  {
    status: 404,
    tag: "NoSuchRoute",
    sent: { ...get("/api/v1/jobs"), method: "PUT" },
    holds: { method: "PUT", path: "/api/v1/jobs" }
  },
  // A server without a page.
  { status: 404, tag: "NoSuchRoute", sent: post("/session", {}), holds: { method: "POST", path: "/api/v1/session" } },
  {
    status: 400,
    tag: "HttpApiDecodeError",
    sent: get("/api/v1/jobs?limit=0"),
    holds: {
      issues: [{ _tag: "Refinement", path: ["limit"], message: 'expected a whole number from 1 to 1000, got "0"' }]
    }
  },
  {
    status: 400,
    tag: "InvalidQuery",
    sent: get(`/api/v1/jobs/${stored}/logs`),
    holds: { parameter: "unit", problem: "required together with task, unless file is set" }
  },
  {
    status: 404,
    tag: "LogNotFound",
    sent: get(`/api/v1/jobs/${stored}/logs?file=x`),
    holds: { jobId: stored, log: "x" }
  },
  {
    status: 404,
    tag: "StepNotFound",
    sent: get(`/api/v1/jobs/${stored}/steps/charge`),
    holds: { jobId: stored, step: "charge" }
  },
  { status: 404, tag: "JobNotFound", sent: get(`/api/v1/jobs/${jobId}`), holds: { jobId } },
  {
    status: 409,
    tag: "DiffUnavailable",
    sent: get(`/api/v1/jobs/${stored}/diff`),
    holds: { jobId: stored, reason: "notBegun" }
  },
  {
    status: 409,
    tag: "ApprovalRefused",
    sent: post(`/jobs/${stored}/approve`, { commit: "0123456" }),
    holds: { jobId: stored, reason: "notWaiting", status: "running" }
  },
  {
    status: 409,
    tag: "NoOpenQuestion",
    sent: post(`/jobs/${stored}/answer`, { unit: "web", text: "80" }),
    holds: { jobId: stored, unit: "web", waiting: [] }
  },
  {
    status: 409,
    tag: "AlreadyAnswered",
    sent: post(`/jobs/${stored}/answer`, { unit: "api", text: "80" }),
    holds: { jobId: stored, unit: "api", by: "ann" }
  },
  { status: 400, tag: "CursorAhead", sent: get(`/api/v1/jobs/${stored}/events?after=7`), holds: { after: 7 } },
  {
    status: 422,
    tag: "InvalidJobConfig",
    sent: post("/jobs", []),
    holds: { issues: [{ path: [], message: "must be an object" }] }
  },
  {
    status: 503,
    tag: "NotReady",
    sent: get("/readyz"),
    holds: { problems: [`job ${jobId} cannot be recorded: ${storeError("full").message}`, "the moon is full"] }
  },
  { status: 500, tag: "InternalError", sent: post("/jobs/stop", { all: true }), holds: {} }
]

describe("status of a request error", () => {
  const world = Effect.gen(function* () {
    const world = yield* worldOf(
      {
        stopAllBy: () => Effect.die("a bug"),
        health: Effect.succeed({ healthy: false, unrecorded: [{ jobId, error: storeError("full") }] })
      },
      {},
      { maxStreams: 0, maxBody: 1_000, problems: Effect.succeed(["the moon is full"]) }
    )
    const store = Context.get(world.services, RunStore.RunStore)
    const labels = { "charlotte.idempotency-key": "used" }
    const other = { ...config, targetBranch: "other" }
    yield* Effect.orDie(
      store.create({ id: stored, kind: "tasks", key: undefined, config: other, labels, at: yield* DateTime.now })
    )
    const at = yield* DateTime.now
    const by = { jobId: stored, attempt: 1 }
    const unit = new UnitRecord({ unit: "api", position: 0, dependsOn: [], state: "running" })
    const question = new Question({
      unit: "api",
      task: 1,
      seq: 1,
      agent: "claude",
      question: "Which port?",
      askedAt: at
    })
    yield* Effect.orDie(
      Effect.all([
        store.work.plan({ ...by, work: new Work({ units: [unit], tasks: [task("api", 1, 0)] }) }),
        store.questions.record({ ...by, questions: [question] }),
        store.questions.answer({ jobId: stored, unit: "api", text: "81", sender: { by: "ann" }, at }),
        store.schedules.register({ kind: "tasks", name: "nightly", definition: "{}", at })
      ])
    )
    return world
  }).pipe(Logger.withMinimumLogLevel(LogLevel.None))

  for (const { holds, sent, status, tag } of others) {
    it.scopedLive(`${status} for ${tag} of ${sent.method ?? "GET"} ${sent.path} ${JSON.stringify(holds)}`, () =>
      Effect.gen(function* () {
        const { json, ...answer } = yield* Effect.flatMap(world, ({ send }) => send(sent))
        expect({ status: answer.status, json }).toEqual({
          status,
          json: { ...holds, _tag: tag, message: expect.stringMatching(/\w/) }
        })
        expect("retry-after" in answer.headers).toBe(status === 503)
      })
    )
  }

  it.scopedLive("401 for RequestRefused without the token on a port", () =>
    Effect.gen(function* () {
      const { port } = yield* world
      const answer = yield* requests.send({ port }, get("/readyz"))
      expect(answer).toMatchObject({ status: 401, json: { _tag: "RequestRefused", reason: "token" } })
      expect(answer.headers["www-authenticate"]).toBe("Bearer")
    })
  )

  it.scopedLive("503 for /readyz while a write has waited for long, and 200 with its age before", () =>
    Effect.gen(function* () {
      const readyWith = (health: Health) =>
        Effect.flatMap(worldOf({ health: Effect.succeed(health) }), ({ send }) => send(get("/readyz")))
      const waits = (oldestWrite: Duration.Duration) => ({ healthy: true, unrecorded: [], oldestWrite })
      expect(yield* readyWith(waits(Duration.seconds(3)))).toMatchObject({
        status: 200,
        json: { ready: true, oldestWriteSeconds: 3 }
      })
      expect(yield* readyWith({ ...waits(Duration.seconds(12)), healthy: false })).toMatchObject({
        status: 503,
        json: { problems: ["a write has waited for 12 s: another transaction may hold a lock of the database"] }
      })
    })
  )

  it.scopedLive.each([
    ["ahead of", 7_200_400, 7_200],
    ["behind", -90_000, -90]
  ] as const)("200 for /readyz where the clock is %s that of the database, with the difference", ([, ms, seconds]) =>
    Effect.gen(function* () {
      const health = Effect.succeed({ healthy: true, unrecorded: [], clockAhead: ms })
      expect(yield* Effect.flatMap(worldOf({ health }), ({ send }) => send(get("/readyz")))).toMatchObject({
        status: 200,
        json: { ready: true, clockAheadSeconds: seconds }
      })
    })
  )

  it.scopedLive("503 for every read of a closed store", () =>
    Effect.gen(function* () {
      const { send } = yield* worldOf({}, { latestCursor: storeError("closed") })
      expect(yield* send(get("/readyz"))).toMatchObject({ status: 503, json: { _tag: "NotReady" } })
      expect(yield* send(get("/api/v1/events"))).toMatchObject({
        status: 503,
        json: { _tag: "StoreError", reason: "closed" }
      })
    })
  )
})

/** Errors of a server with a page, in the tests of `page/`, and of one with a subscriber, in `System.test.ts`. */
const elsewhere = ["InvalidCode", "PageUnavailable", "SessionNotFound", "SubscriberInUse", "TooManyTries"]

describe("error responses", () => {
  it("are all covered by a case in this file", () => {
    const cased = new Set([...cases.map(([, { error }]) => error._tag), ...others.map(({ tag }) => tag)])
    const known = [...Object.keys(errors), ...Object.keys(Http.errors)]
    expect([...cased, ...notSent, ...elsewhere].sort()).toEqual([...new Set([...known, "HttpApiDecodeError"])].sort())
  })
})
