/** Jobs of several kinds on one server: `JobsApi.make`, and the typed client of a kind. */
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { describe, expect, it } from "@effect/vitest"
import { JobId, JobKind, JobManager, Orchestrator, RunStore } from "charlotte"
import { errors as http, JobClient, JobsApi, Server } from "charlotte/http"
import { Array, Chunk, Context, DateTime, Deferred, Effect, Layer, Option, Redacted, Schema, Stream } from "effect"
import * as requests from "../requests.js"
import { config as task } from "../../support/jobs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

class SmtpError extends Schema.TaggedError<SmtpError>()("SmtpError", { code: Schema.NumberFromString }) {}

class Email extends JobKind.Tag<Email>()("email", {
  config: Schema.Struct({ to: Schema.String, retries: Schema.NumberFromString }),
  success: Schema.Struct({ messageId: Schema.String, at: Schema.Date }),
  error: SmtpError,
  events: { "email.sent": Schema.Struct({ size: Schema.NumberFromString }) },
  signals: { approve: Schema.Struct({ by: Schema.String }) }
}) {}

class Report extends JobKind.Tag<Report>()("report", { config: Schema.Struct({ title: Schema.String }) }) {}

/** Of another part of the application, and not served. */
class Import extends JobKind.Tag<Import>()("import", { config: Schema.Struct({}) }) {}

const EmailClient = JobClient.of(Email)

class Go extends Context.Tag("test/Go")<Go, Deferred.Deferred<void>>() {}

/** An address at `fail` fails; the others wait until the test lets them go. */
const kinds = Layer.mergeAll(
  Email.layer({
    maxJobs: 2,
    run: ({ config: { retries, to }, emit }) =>
      Effect.gen(function* () {
        yield* emit({ type: "email.sent", payload: { size: retries } })
        if (to.endsWith("@fail")) return yield* new SmtpError({ code: 550 })
        yield* Effect.flatMap(Go, Deferred.await)
        return { messageId: to, at: new Date(0) }
      })
  }),
  Report.layer({ run: ({ config }) => Effect.as(Effect.flatMap(Go, Deferred.await), config.title) }),
  Import.layer({ run: () => Effect.flatMap(Go, Deferred.await) })
).pipe(Layer.provideMerge(RunStore.layerMemory), Layer.provideMerge(Layer.effect(Go, Deferred.make<void>())))

const api = JobsApi.make([Email, Report])

const make = Effect.gen(function* () {
  const directory = yield* TemporaryDirectory.make
  const socket = `${directory}/socket`
  const services = yield* Layer.build(Layer.provideMerge(Server.layer({ listen: { socket }, drain: 200, api }), kinds))
  const clients = yield* Layer.build(Layer.merge(EmailClient.layer({ socket }), JobClient.layer({ socket })))
  return {
    socket,
    services,
    emails: Context.get(clients, EmailClient),
    client: Context.get(clients, JobClient.JobClient),
    go: Deferred.succeed(Context.get(services, Go), undefined),
    send: (sent: requests.Sent) => requests.send({ socketPath: socket }, sent),
    post: (path: string, body: unknown) =>
      requests.send(
        { socketPath: socket },
        {
          method: "POST",
          path: `/api/v1${path}`,
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body)
        }
      )
  }
})

const ada = { to: "ada@example.com", retries: "1" }

describe("a server of several kinds", () => {
  it.scoped("starts a job of a kind by its own endpoint, and by the derived client", () =>
    Effect.gen(function* () {
      const { client, post, socket } = yield* make
      expect(yield* post("/kinds/report/jobs", { config: { title: "May" } })).toMatchObject({ status: 201 })
      const agent: { readonly socketPath: string; readonly keepAlive?: boolean } = { socketPath: socket }
      const derived = yield* HttpApiClient.make(api, { baseUrl: "http://localhost" }).pipe(
        Effect.provide(Layer.provide(NodeHttpClient.layerWithoutAgent, NodeHttpClient.makeAgentLayer(agent)))
      )
      const { id } = yield* derived.kinds.email({ payload: { config: ada } })
      expect(yield* derived.charlotteJobs.get({ path: { id } })).toMatchObject({
        kind: "email",
        config: ada,
        phase: "running"
      })
      const { jobs } = yield* client.list()
      expect(jobs.map(({ kind }) => kind).sort()).toEqual(["email", "report"])
    })
  )

  it.scoped("retries a job once, however often it is asked, and both jobs refer to each other", () =>
    Effect.gen(function* () {
      const { client, emails, post, send } = yield* make
      const first = yield* emails.start({ to: "ada@fail", retries: "1" }, { priority: 3 })
      yield* emails.await(first)
      const { status, json } = yield* send({ method: "POST", path: `/api/v1/jobs/${first}/retry?by=ann` })
      expect(status).toBe(201)
      const { jobs } = yield* client.list()
      const second = jobs[0]?.id ?? first
      expect(json).toEqual({ id: second })
      expect(yield* emails.retry(first, { fresh: true })).toBe(second)
      expect(yield* client.retry(first)).toBe(second)
      yield* emails.await(second)
      expect(yield* client.get(first)).toMatchObject({ status: "failed", retriedAs: second })
      expect(yield* client.get(second)).toMatchObject({ retryOf: first, priority: 3, config: { to: "ada@fail" } })
      expect((yield* client.list({ status: "failed", retried: false })).jobs.map(({ id }) => id)).toEqual([second])
      expect((yield* emails.list({ retried: true })).jobs.map(({ id }) => id)).toEqual([first])
      const report = yield* post("/kinds/report/jobs", { config: { title: "May" } })
      const { id } = Schema.decodeUnknownSync(Schema.Struct({ id: JobId.JobId }))(report.json)
      expect(yield* Effect.flip(client.retry(id))).toMatchObject({ _tag: "NotRetryable", jobId: id, status: "running" })
      const refused = yield* send({ method: "POST", path: `/api/v1/jobs/${id}/retry?again=true` })
      expect([refused.status, refused.json]).toMatchObject([
        409,
        { message: `job ${id} cannot be retried: it is running` }
      ])
      expect(yield* Effect.flip(emails.retry(id))).toMatchObject({ _tag: "JobNotFound" })
    })
  )

  it.scoped("pauses a kind, says so, and refuses its starts with 409 until it is unpaused", () =>
    Effect.gen(function* () {
      const { client, emails, post, send } = yield* make
      const running = yield* emails.start(ada)
      expect(yield* send({ method: "POST", path: "/api/v1/kinds/email/pause?by=ann" })).toMatchObject({ status: 204 })
      const refused = yield* post("/kinds/email/jobs", { config: ada })
      expect([refused.status, refused.json]).toEqual([
        409,
        { _tag: "KindPaused", kind: "email", message: 'jobs of kind "email" are paused' }
      ])
      expect(yield* Effect.flip(emails.start(ada))).toMatchObject({ _tag: "KindPaused", kind: "email" })
      const queued = yield* emails.start(ada, { whenFull: "queue" })
      expect(yield* client.get(queued)).toMatchObject({ status: "pending", waitsFor: "paused" })
      const [email, report] = yield* client.kinds
      expect(email).toMatchObject({ kind: "email", active: 1, pending: 1, paused: { by: "ann" } })
      expect(email?.counts).toMatchObject({ pending: 1, running: 1, completed: 0 })
      expect(report).toMatchObject({ kind: "report", active: 0, pending: 0, maxJobs: 10 })
      expect(report?.paused).toBeUndefined()
      expect((yield* send({ path: "/metrics" })).text).toContain('charlotte_kind_paused{kind="email"} 1\n')
      yield* emails.unpause()
      expect(yield* client.get(queued)).not.toMatchObject({ waitsFor: "paused" })
      yield* client.pause("report", { by: "bob" })
      yield* client.unpause("report")
      expect((yield* client.kinds).map(({ paused }) => paused)).toEqual([undefined, undefined])
      expect(yield* Effect.flip(client.pause("import"))).toMatchObject({ _tag: "NoSuchKind" })
      yield* emails.stop(running)
    })
  )

  it.scoped("limits how many jobs of a kind run at once", () =>
    Effect.gen(function* () {
      const { client, emails, post } = yield* make
      const limit = (body: unknown) => Effect.map(post("/kinds/email/limit", body), ({ status }) => status)
      const limits = Effect.map(client.kinds, (kinds) => kinds.map(({ maxJobs }) => maxJobs))
      expect(yield* limits).toEqual([2, 10])
      expect(yield* limit({ maxJobs: 1, by: "ann" })).toBe(204)
      expect(yield* limits).toEqual([1, 10])
      yield* emails.start(ada)
      expect(yield* Effect.flip(emails.start(ada))).toMatchObject({ _tag: "MaxJobsReached", maxJobs: 1 })
      yield* emails.limit("default")
      yield* emails.start(ada)
      expect(yield* limits).toEqual([2, 10])
      for (const maxJobs of [0, 1.5, "all"]) expect(yield* limit({ maxJobs })).toBe(400)
      expect(yield* Effect.flip(client.limit("import", 3))).toMatchObject({ _tag: "NoSuchKind" })
    })
  )

  it.scoped("reschedules a job that waits, and names what is wrong", () =>
    Effect.gen(function* () {
      const { client, emails, post } = yield* make
      const id = yield* emails.start(ada, { delay: "1 hour" })
      const path = `/jobs/${id}/reschedule`
      expect(yield* post(path, { priority: 5, by: "ann" })).toMatchObject({ status: 204 })
      const startAt = DateTime.unsafeMake("2100-01-01T00:00:00Z")
      yield* emails.reschedule(id, { startAt })
      expect(yield* client.get(id)).toMatchObject({ status: "pending", priority: 5, startAt })
      expect((yield* post(path, {})).status).toBe(422)
      expect((yield* post(path, { priority: 0.5 })).json).toMatchObject({ issues: [{ path: ["priority"] }] })
      yield* client.reschedule(id, { startAt: "now" })
      yield* Stream.runDrain(Stream.takeUntil(emails.events(id), ({ type }) => type === "job.started"))
      const refused = yield* post(path, { priority: 1 })
      expect([refused.status, refused.json]).toMatchObject([409, { _tag: "NotReschedulable", status: "running" }])
    })
  )

  it.scoped("retries all jobs of a kind that match, request by request", () =>
    Effect.gen(function* () {
      const { client, emails, post } = yield* make
      const start = (n: number) => emails.start({ to: `${n}@fail`, retries: "1" }, { whenFull: "queue" })
      const ids = yield* Effect.forEach([1, 2, 3], start)
      yield* Effect.forEach(ids, (id) => emails.await(id))
      const answer = yield* post("/jobs/retry", { kind: "email", q: "2" })
      expect([answer.status, answer.json]).toEqual([200, { retried: 1, refused: 0, last: ids[1] }])
      const all = Chunk.toReadonlyArray(
        yield* Stream.runCollect(emails.retryMany({ status: "failed", before: ids[2] }))
      )
      expect(all).toEqual([{ retried: 1, refused: 0, last: ids[0] }])
      const every = client.retryMany({ kind: "email", status: "cancelled" })
      expect(yield* Stream.runCollect(every)).toEqual(Chunk.empty())
      expect((yield* post("/jobs/retry", { kind: "email" })).status).toBe(400)
      const unknown = Stream.runDrain(client.retryMany({ kind: "import", status: "failed" }))
      expect(yield* Effect.flip(unknown)).toMatchObject({ _tag: "NoSuchKind" })
      expect((yield* post("/jobs/retry", { status: "failed" })).status).toBe(400)
    })
  )

  it.scoped("removes a job that is over, answers the same again, and refuses one that is not", () =>
    Effect.gen(function* () {
      const { client, emails, send } = yield* make
      const remove = (id: string, query = "") => send({ method: "DELETE", path: `/api/v1/jobs/${id}${query}` })
      const over = yield* emails.start({ to: "ada@fail", retries: "1" })
      yield* emails.await(over)
      yield* client.pin(over)
      const pinned = yield* remove(over, "?by=ann")
      expect([pinned.status, pinned.json]).toMatchObject([409, { _tag: "NotRemovable", jobId: over, reason: "pinned" }])
      expect((yield* remove(over, "?pinned=true&by=ann")).status).toBe(204)
      expect((yield* remove(over)).status).toBe(204)
      yield* Effect.zipRight(client.remove(over), emails.remove(over))
      expect(yield* Effect.flip(client.get(over))).toMatchObject({ _tag: "JobNotFound" })
      const running = yield* emails.start(ada)
      expect(yield* Effect.flip(emails.remove(running))).toMatchObject({ _tag: "NotRemovable", reason: "active" })
      yield* emails.remove(running, { stop: true, by: "ann" })
      expect((yield* remove(running.replace(/.$/, (last) => (last === "0" ? "1" : "0")))).status).toBe(404)
      expect((yield* remove(over, "?stop=perhaps")).status).toBe(400)
    })
  )

  it.scoped("removes no job by the client of another kind", () =>
    Effect.gen(function* () {
      const { client, emails, post } = yield* make
      const { json } = yield* post("/kinds/report/jobs", { config: { title: "May" } })
      const other = Schema.decodeUnknownSync(Schema.Struct({ id: JobId.JobId }))(json).id
      expect(yield* Effect.flip(emails.remove(other))).toMatchObject({ _tag: "JobNotFound" })
      expect(yield* client.get(other)).toMatchObject({ id: other })
    })
  )

  it.scoped("removes all jobs of a kind that match, request by request", () =>
    Effect.gen(function* () {
      const { client, emails, post } = yield* make
      const start = (n: number) => emails.start({ to: `${n}@fail`, retries: "1" }, { whenFull: "queue" })
      const ids = yield* Effect.forEach(Array.range(1, 203), start)
      yield* Effect.forEach(ids, (id) => emails.await(id))
      const kept = yield* Effect.fromNullable(ids[200])
      yield* client.pin(kept)
      const answer = yield* post("/jobs/remove", { kind: "email", q: "203", by: "ann" })
      expect([answer.status, answer.json]).toEqual([200, { removed: 1, refused: 0, last: ids[202] }])
      const all = Chunk.toReadonlyArray(yield* Stream.runCollect(emails.removeMany({ status: "failed" })))
      const problem = expect.stringContaining("is pinned")
      expect(all).toEqual([
        { removed: 199, refused: 1, problem, last: ids[2] },
        { removed: 201, refused: 1, problem, last: ids[0] }
      ])
      expect(yield* emails.list()).toMatchObject({ jobs: [{ id: kept }] })
      const last = { removed: 1, refused: 0, last: kept }
      const pinned = client.removeMany({ kind: "email", status: "failed", pinned: true, by: "ann" })
      expect(yield* Stream.runCollect(pinned)).toEqual(Chunk.of(last))
      expect((yield* post("/jobs/remove", { kind: "email" })).status).toBe(400)
      const unknown = Stream.runDrain(client.removeMany({ kind: "import", status: "failed" }))
      expect(yield* Effect.flip(unknown)).toMatchObject({ _tag: "NoSuchKind" })
    })
  )

  it.scoped("names every field that is wrong, and refuses at capacity with Retry-After", () =>
    Effect.gen(function* () {
      const { post } = yield* make
      const paths = (json: unknown) =>
        Schema.decodeUnknownSync(
          Schema.Struct({ issues: Schema.Array(Schema.Struct({ path: Schema.Array(Schema.String) })) })
        )(json).issues.map(({ path }) => path.join("."))
      const wrong = yield* post("/kinds/email/jobs", { config: { to: 1, retries: "many", cc: "x" } })
      expect(wrong.status).toBe(422)
      expect(paths(wrong.json).sort()).toEqual(["cc", "retries", "to"])
      const unexpected = yield* post("/kinds/email/jobs", { config: ada, when: "now" })
      expect([unexpected.status, paths(unexpected.json)]).toEqual([422, ["when"]])
      expect(paths((yield* post("/kinds/email/jobs", ada)).json)).toEqual(["to", "retries"])
      expect(paths((yield* post("/kinds/email/jobs", {})).json)).toEqual(["config"])
      for (const _ of [1, 2]) expect((yield* post("/kinds/email/jobs", { config: ada })).status).toBe(201)
      const full = yield* post("/kinds/email/jobs", { config: ada })
      expect(full).toMatchObject({
        status: 429,
        json: { _tag: "MaxJobsReached", maxJobs: 2 },
        headers: { "retry-after": "5" }
      })
    })
  )

  it.scoped("starts a job of a kind with the options of a start beside its configuration", () =>
    Effect.gen(function* () {
      const { client, emails, post } = yield* make
      const startAt = DateTime.unsafeMake("2999-01-31T08:00:00Z")
      const later = yield* post("/kinds/email/jobs", {
        config: ada,
        whenFull: "queue",
        priority: 7,
        startAt: "2999-01-31T08:00:00Z",
        key: "ada",
        whenKeyTaken: "queue",
        idempotencyKey: "first"
      })
      expect(later.status).toBe(201)
      const id = yield* emails.start(ada, {
        whenFull: "queue",
        priority: 7,
        startAt,
        key: "ada",
        whenKeyTaken: "queue",
        idempotencyKey: "first"
      })
      expect(later.json).toEqual({ id })
      expect(yield* client.get(id)).toMatchObject({ status: "pending", priority: 7, startAt, waitsFor: "time" })
      expect(yield* emails.start(ada, { key: "ada", whenKeyTaken: "attach" })).toBe(id)
      expect((yield* post("/kinds/email/jobs", { config: ada, delay: 60_000 })).status).toBe(201)
      yield* emails.start(ada, { delay: "1 minute" })
      const { jobs } = yield* emails.list({ status: "pending" })
      expect(jobs.map(({ waitsFor }) => waitsFor)).toEqual(["time", "time", "time"])
    })
  )

  it.scoped.each([
    ["whenFull", { whenFull: "wait" }],
    ["priority", { priority: "high" }],
    ["priority", { priority: 1.5 }],
    ["priority", { priority: 1_000_001 }],
    ["startAt", { startAt: "tomorrow" }],
    ["delay", { delay: -1 }],
    ["delay", { delay: "1 minute" }],
    ["delay", { delay: 1, startAt: "2999-01-31T08:00:00Z" }],
    ["key", { key: "" }],
    ["key", { key: 1 }],
    ["whenKeyTaken", { whenKeyTaken: "wait", key: "a" }],
    ["whenKeyTaken", { whenKeyTaken: "queue" }],
    ["idempotencyKey", { idempotencyKey: "" }],
    ["idempotencyKey", { idempotencyKey: null }]
  ] as const)("names the option %s where it is wrong: %j", ([option, options]) =>
    Effect.gen(function* () {
      const { client, post } = yield* make
      const refused = yield* post("/kinds/email/jobs", { config: ada, ...options })
      expect(refused).toMatchObject({ status: 422, json: { _tag: "InvalidJobConfig", issues: [{ path: [option] }] } })
      expect((yield* client.list()).jobs).toEqual([])
    })
  )

  it.scoped("is 404 for kinds that it was not given, and for their jobs", () =>
    Effect.gen(function* () {
      const { emails, post, send, services } = yield* make
      const id = yield* Context.get(services, Import).start({})
      expect((yield* post("/kinds/import/jobs", { config: {} })).status).toBe(404)
      expect((yield* post("/jobs", task)).status).toBe(404)
      const noKind = { status: 404, json: { _tag: "NoSuchKind", kind: "import", kinds: ["email", "report"] } }
      expect(yield* send({ path: "/api/v1/jobs?kind=import" })).toMatchObject(noKind)
      expect(yield* send({ path: "/api/v1/events?kind=import" })).toMatchObject(noKind)
      expect(yield* post("/jobs/stop", { all: true, kind: "import" })).toMatchObject(noKind)
      const noJob = { status: 404, json: { _tag: "JobNotFound", jobId: id } }
      for (const path of ["", "/events", "/logs?file=x"]) {
        expect(yield* send({ path: `/api/v1/jobs/${id}${path}` }), path).toMatchObject(noJob)
      }
      for (const path of ["stop", "resume"]) expect(yield* post(`/jobs/${id}/${path}`, {}), path).toMatchObject(noJob)
      expect(yield* Effect.flip(emails.get(id))).toMatchObject({ _tag: "JobNotFound" })
      expect(yield* Context.get(services, Import).activeCount).toBe(1)
    })
  )

  it.scoped("lists the jobs of all of its kinds newest first, page by page, or those of one", () =>
    Effect.gen(function* () {
      const { client, services } = yield* make
      const store = Context.get(services, RunStore.RunStore)
      const letters = "ABCDEFGHJK"
      for (const [n, letter] of [...letters].entries()) {
        const id = JobId.make(`01${letter.repeat(24)}`)
        const kind = ["email", "report", "report", "import"][n % 4] ?? ""
        const at = yield* Effect.clockWith(() =>
          Effect.succeed(Schema.decodeSync(Schema.DateTimeUtc)("2026-01-01T00:00:00Z"))
        )
        yield* store.create({ id, kind, key: undefined, config: {}, labels: {}, at })
      }
      const pages = yield* Stream.runCollect(
        Stream.paginateEffect(Option.none<JobId.JobId>(), (before) =>
          Effect.map(
            client.list({ limit: 3, ...(Option.isSome(before) && { before: before.value }) }),
            ({ jobs, next }) => [
              jobs.map(({ id }) => id.at(-1)).join(""),
              Option.map(Option.fromNullable(next), Option.some)
            ]
          )
        )
      )
      expect(Chunk.toReadonlyArray(pages)).toEqual(["KJG", "FEC", "BA"])
      const { jobs } = yield* client.list({ kind: "report" })
      expect(jobs.map(({ id }) => id.at(-1)).join("")).toBe("KGFCB")
    })
  )

  it.scoped("streams the events of all of its kinds in the order of their cursors, and those of one", () =>
    Effect.gen(function* () {
      const { client, emails, go, services } = yield* make
      const ids = [
        yield* Context.get(services, Email).start(ada),
        yield* Context.get(services, Import).start({}),
        yield* Context.get(services, Report).start({ title: "May" }),
        yield* Context.get(services, Email).start(ada)
      ]
      const ended = ({ type }: { readonly type: string }) => type === "job.completed"
      const all = yield* Effect.fork(
        client.allEvents().pipe(
          Stream.filter((event) => ended(event) || event.type === "job.started"),
          Stream.take(6),
          Stream.runCollect
        )
      )
      const ofEmails = yield* Effect.fork(
        emails.allEvents().pipe(
          Stream.takeUntil((event) => ended(event) && event.jobId === ids[3]),
          Stream.runCollect
        )
      )
      yield* go
      const seen = Chunk.toReadonlyArray(yield* all)
      expect(seen.map(({ jobId }) => jobId)).not.toContain(ids[1])
      expect(seen.map(({ cursor }) => cursor)).toEqual(seen.map(({ cursor }) => cursor).sort((a, b) => a - b))
      expect(new Set(Chunk.map(yield* ofEmails, ({ jobId }) => jobId)).size).toBeLessThanOrEqual(2)
    })
  )

  it.scoped("stops the jobs of one kind, or all", () =>
    Effect.gen(function* () {
      const { client, emails, services } = yield* make
      const email = yield* Context.get(services, Email).start(ada)
      const report = yield* Context.get(services, Report).start({ title: "May" })
      const other = yield* Context.get(services, Import).start({})
      expect((yield* emails.stopAll).map(({ jobId }) => jobId)).toEqual([email])
      expect((yield* client.stopAll).map(({ jobId }) => jobId)).toEqual([report])
      expect(yield* Context.get(services, Import).list).toEqual([other])
    })
  )

  it.scoped("has the jobs of tasks beside them, with the flat body of POST /jobs", () =>
    Effect.gen(function* () {
      const socket = `${yield* TemporaryDirectory.make}/socket`
      const tasks = JobManager.layer().pipe(Layer.provide(Orchestrator.layer(() => Effect.succeed("done"))))
      const served = Server.layer({
        listen: { socket },
        drain: 200,
        api: JobsApi.make([JobManager.JobManager, Report])
      })
      yield* Layer.build(served.pipe(Layer.provide(tasks), Layer.provide(kinds)))
      const client = yield* JobClient.make({ socket })
      const id = yield* client.start(task)
      expect(yield* client.get(id)).toMatchObject({ kind: "tasks" })
    })
  )

  it.scoped("shows all schemas in its OpenAPI document", () =>
    Effect.gen(function* () {
      const { send } = yield* make
      const { json } = yield* send({ path: "/openapi.json" })
      for (const kind of ["email", "report"]) {
        expect(json).toHaveProperty(["paths", `/api/v1/kinds/${kind}/jobs`, "post", "requestBody"])
        for (const name of ["Config", "Success", "Error"]) {
          expect(json).toHaveProperty(["components", "schemas", `${kind}.${name}`])
        }
      }
      expect(json).toHaveProperty(
        "components.schemas",
        expect.objectContaining({ "email.Signal.approve": expect.anything() })
      )
      expect(json).toHaveProperty(
        ["components", "schemas", "JobEvent.email.sent", "properties", "payload", "properties", "size"],
        expect.objectContaining({ type: "string" })
      )
      expect(json).not.toHaveProperty(["paths", "/api/v1/jobs", "post"])
      // `to` is an offset in bytes elsewhere.
      expect(JSON.stringify(json)).not.toContain('"to":{"type":"string","description"')
      expect((yield* send({ path: "/docs" })).text).toContain("/api/v1/kinds/email/jobs")
    })
  )

  it("has a defect where two kinds have one name", () => {
    class Other extends JobKind.Tag<Other>()("email", { config: Schema.Struct({}) }) {}
    expect(() => JobsApi.make([Email, Other])).toThrow("two kinds of job are named email")
  })
})

describe("JobClient.of", () => {
  it.scoped("starts, awaits, gets and lists with the types of the kind", () =>
    Effect.gen(function* () {
      const { emails, go } = yield* make
      const id = yield* emails.start(ada)
      const waiting = yield* Effect.fork(emails.await(id))
      expect(yield* emails.get(id)).toMatchObject({ status: "running", config: { to: ada.to, retries: 1 } })
      yield* go
      const run = yield* waiting
      expect(run.status === "completed" && run.result.at.getTime()).toBe(0)
      const failed = yield* emails.await(yield* emails.start({ to: "b@fail", retries: "2" }))
      expect(failed.status === "failed" && failed.error.kind === "failure" && failed.error.error.code).toBe(550)
      const { jobs } = yield* emails.list({ limit: 1 })
      expect(jobs.map(({ config }) => config.to)).toEqual(["b@fail"])
      const events = yield* Stream.runCollect(emails.events(id))
      expect(Chunk.toReadonlyArray(events).map(({ type }) => type)).toEqual([
        "job.started",
        "email.sent",
        "job.completed"
      ])
    })
  )

  it.scoped("sends the signals that the kind declares, and no others", () =>
    Effect.gen(function* () {
      const { emails, post, services } = yield* make
      const id = yield* emails.start(ada)
      yield* emails.signal(id, "approve", { by: "Ann" }, { by: "a test" })
      const refused = yield* post(`/jobs/${id}/signals/approve`, { payload: { by: 1 } })
      expect(refused).toMatchObject({ status: 422, json: { _tag: "InvalidSignal", signal: "approve" } })
      const unknown = yield* post(`/jobs/${id}/signals/refuse`, { payload: { by: "Ann" } })
      expect(unknown).toMatchObject({ status: 422, json: { _tag: "InvalidSignal", signal: "refuse" } })
      const other = yield* Context.get(services, Report).start({ title: "May" })
      expect(yield* Effect.flip(emails.signal(other, "approve", { by: "Ann" }))).toMatchObject({ _tag: "JobNotFound" })
      const signalled = yield* Stream.runHead(Stream.filter(emails.events(id), ({ type }) => type === "job.signalled"))
      expect(Option.getOrThrow(signalled).payload).toEqual({
        name: "approve",
        payload: { by: "Ann" },
        by: "a test",
        via: "socket"
      })
    })
  )

  it.scoped("stops a job, and refuses a configuration as the manager does", () =>
    Effect.gen(function* () {
      const { emails } = yield* make
      const id = yield* emails.start(ada)
      expect(yield* emails.stop(id)).toMatchObject({ jobId: id, status: "cancelled" })
      expect(yield* Effect.flip(emails.start({ ...ada, retries: "x" }))).toMatchObject({
        _tag: "InvalidJobConfig",
        issues: [{ path: ["retries"] }]
      })
      expect(yield* Effect.flip(emails.resume(id))).toMatchObject({ _tag: "NotResumable" })
    })
  )

  it.scoped("fails to start a job with NoSuchKind where the server does not have the kind", () =>
    Effect.gen(function* () {
      const { socket } = yield* make
      const ImportClient = JobClient.of(Import)
      const imports = Context.get(yield* Layer.build(ImportClient.layer({ socket })), ImportClient)
      expect(yield* Effect.flip(imports.start({}))).toEqual(
        new http.NoSuchKind({ kind: "import", kinds: ["email", "report"] })
      )
    })
  )

  it.scoped("starts no job with a wrong token, and says so", () =>
    Effect.gen(function* () {
      const server = Server.layer({ listen: { port: 0 }, token: Redacted.make("t".repeat(32)), api })
      const { addresses } = Context.get(yield* Layer.build(Layer.provide(server, kinds)), Server.Server)
      const port = addresses.flatMap((address) => ("port" in address ? [address.port] : []))[0] ?? 0
      const layer = EmailClient.layer({ port, token: Redacted.make("u".repeat(32)) })
      const emails = Context.get(yield* Layer.build(layer), EmailClient)
      expect(yield* Effect.flip(emails.start(ada))).toMatchObject({ _tag: "RequestRefused", reason: "token" })
    })
  )
})
