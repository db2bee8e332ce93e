import { describe, expect, it } from "@effect/vitest"
import { errors, type JobId, JobManager, RunStore, Work } from "charlotte"
import * as Http from "charlotte/http"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Array, Chunk, Context, DateTime, Deferred, Effect, Fiber, Layer, Stream } from "effect"
import manifest from "../../../package.json" with { type: "json" }
import { config, unknownId } from "../../support/jobs.js"
import { Question } from "../../../src/domain/Question.js"
import { planOf, task, unit } from "../../store/work.js"
import * as World from "../world.js"

const doors = ["bySocket", "byPort"] as const

describe("a server of one kind", () => {
  it.scoped("neither answers questions of jobs of other kinds nor lands their work", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const store = Context.get(world.services, RunStore.RunStore)
      const at = yield* DateTime.now
      yield* store.create({ id: unknownId, kind: "other", key: undefined, config, labels: {}, at })
      const by = { jobId: unknownId, attempt: 1 }
      yield* store.work.plan({ ...by, work: new Work.Work({ units: [unit("a", 0)], tasks: [task("a", 1, 0)] }) })
      const asked = { unit: "a", task: 1, seq: 1, agent: "claude", question: "Which port?", askedAt: at }
      yield* store.questions.record({ ...by, questions: [new Question(asked)] })
      const missing = new errors.JobNotFound({ jobId: unknownId })
      expect(yield* Effect.flip(world.bySocket.answer(unknownId, { text: "8080" }))).toEqual(missing)
      expect((yield* store.questions.of(unknownId)).map(({ answer }) => answer)).toEqual([undefined])
      expect(yield* Effect.flip(world.bySocket.land(unknownId))).toEqual(missing)
    })
  )
})

describe.each(doors)("HTTP client %s", (door) => {
  it.scopedLive("starts a job, follows it to its end, and gets its record", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const client = world[door]
      const id = yield* client.start({ ...config, labels: { team: "a" } })
      const following = yield* Effect.fork(Stream.runCollect(client.events(id)))
      expect((yield* client.get(id)).phase).toBe("running")

      yield* World.script(world).send(id, Step.emit({ type: "half.done", payload: { of: 2 } }), Step.succeed("all"))
      const events = Chunk.toReadonlyArray(yield* Fiber.join(following))
      expect(events.map(({ seq, type }) => `${seq} ${type}`)).toEqual([
        "1 job.started",
        "2 half.done",
        "3 job.completed"
      ])
      expect(events[1]?.payload).toEqual({ of: 2 })

      const job = yield* client.get(id)
      expect(job).toMatchObject({ id, status: "completed", result: "all", labels: { team: "a" }, units: [], tasks: [] })
      expect(job.phase).toBeUndefined()
    })
  )

  it.scopedLive("stops one job and all jobs", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const client = world[door]
      const [first, second, third] = yield* Effect.replicateEffect(client.start(config), 3)
      if (first === undefined) return
      expect(yield* client.stop(first)).toMatchObject({ jobId: first, status: "cancelled", mode: "graceful" })
      expect(yield* client.stop(first)).toMatchObject({ mode: "alreadyEnded" })
      const reports = yield* client.stopAll
      expect(reports.map(({ jobId, mode }) => [jobId, mode])).toEqual([
        [second, "graceful"],
        [third, "graceful"]
      ])
    })
  )

  it.scopedLive("starts a job that lands the work of another, without its agent", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const client = world[door]
      const first = yield* client.start({ ...config, agent: "claude", land: false, labels: { team: "a" } })
      const id = yield* client.land(first, { units: ["api"], idempotencyKey: "once" })
      expect(yield* client.land(first, { units: ["api"], idempotencyKey: "once" })).toBe(id)
      const { config: landing } = yield* client.get(id)
      expect(landing).toMatchObject({ ...config, landOf: first, units: ["api"], labels: { team: "a" } })
      expect(landing).not.toHaveProperty("agent")
      expect(yield* Effect.flip(client.land(unknownId))).toEqual(new errors.JobNotFound({ jobId: unknownId }))
    })
  )

  it.scopedLive("pins, unpins and prunes jobs", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ retention: { completed: 0, failed: 0 } })
      const client = world[door]
      const [first, second] = yield* Effect.replicateEffect(client.start(config), 2)
      if (first === undefined || second === undefined) return
      yield* client.pin(first)
      expect((yield* client.get(first)).pinned).toBe(true)
      yield* client.stop(first)
      yield* client.stop(second)
      const expected = [{ kind: "tasks", runs: 1, jobs: [second] }]
      expect(yield* client.prune({ dryRun: true })).toMatchObject(expected)
      expect((yield* client.get(second)).id).toBe(second)
      expect(yield* client.prune({ kind: "tasks" })).toMatchObject(expected)
      const missing = new errors.JobNotFound({ jobId: second })
      for (const request of [client.get(second), client.pin(second), client.unpin(second)] as const) {
        expect(yield* Effect.flip<unknown, unknown, never>(request)).toEqual(missing)
      }
      yield* client.unpin(first)
      expect((yield* client.get(first)).pinned).toBeUndefined()
      expect(yield* client.prune()).toMatchObject([{ jobs: [first] }])
      expect(yield* client.prune()).toEqual([])
      expect(yield* Effect.flip(client.prune({ kind: "other" }))).toMatchObject({ _tag: "NoSuchKind" })
    })
  )

  it.scopedLive("lists pending jobs in the order in which they begin", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxJobs: 1 })
      const client = world[door]
      yield* client.start(config)
      const queued = yield* Effect.forEach(
        Array.makeBy(60, (n) => n),
        (n) => client.start(config, { whenFull: "queue", priority: n % 2 })
      )
      const expected = [1, 0].flatMap((rest) => queued.filter((_, n) => n % 2 === rest))
      const queue = { status: "pending", order: "queue" } as const
      expect((yield* client.list(queue)).jobs.map(({ id }) => id)).toEqual(expected)
      const { jobs, next } = yield* client.list({ ...queue, kind: "tasks", limit: 31 })
      expect([jobs.map(({ id }) => id), next]).toEqual([expected.slice(0, 31), expected[30]])
      const error = yield* Effect.flip(client.list({ order: "queue" }))
      expect(error).toMatchObject({ _tag: "StoreError", reason: "invalid" })
    })
  )

  it.scopedLive("stops with a grace period of its own", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ stopGrace: "1 minute" })
      const client = world[door]
      const { began, send } = World.script(world)
      const id = yield* client.start(config)
      yield* began(id)
      const free = yield* Deferred.make<void>()
      yield* send(id, () => Effect.uninterruptible(Deferred.await(free)))
      const error = yield* Effect.flip(client.stop(id, { grace: 1 }))
      expect(error).toBeInstanceOf(errors.StopTimedOut)
      expect((yield* client.get(id)).phase).toBe("stopping")
      yield* Deferred.succeed(free, undefined)
    })
  )

  it.scopedLive("resumes interrupted jobs only", () =>
    Effect.gen(function* () {
      const interrupted: RunStore.NewRun = {
        id: unknownId,
        kind: "tasks",
        key: undefined,
        config,
        labels: {},
        at: yield* DateTime.now
      }
      const store = Layer.tap(RunStore.layerMemory, (context) => {
        const store = Context.get(context, RunStore.RunStore)
        const change = { type: "job.interrupted", jobId: unknownId, attempt: 1, at: interrupted.at } as const
        return Effect.zipRight(store.create(interrupted), store.record(change))
      })
      const manager = JobManager.layer({ recovery: "manual" }).pipe(
        Layer.provideMerge(Layer.merge(store, ScriptedOrchestrator.layer()))
      )
      const world = yield* World.over(manager)
      const client = world[door]
      yield* client.resume(unknownId, { usd: 0.1 + 0.2, tokens: 5_000_000, by: "ada" })
      yield* World.script(world).began(unknownId, 2)
      const signalled = yield* Stream.runCollect(
        Stream.takeUntil(client.events(unknownId), ({ type }) => type === "job.signalled")
      )
      expect(Chunk.toReadonlyArray(signalled).at(-1)?.payload).toEqual({
        name: "charlotte.limits",
        payload: { usd: 0.1 + 0.2, tokens: 5_000_000 },
        by: "ada",
        via: door === "bySocket" ? "socket" : "port"
      })
      expect(yield* client.get(unknownId)).toMatchObject({ attempt: 2, status: "running" })
      const before = yield* client.get(unknownId)
      for (const limits of [{}, { usd: 40 }])
        expect(yield* Effect.flip(client.resume(unknownId, limits))).toBeInstanceOf(errors.NotResumable)
      expect(yield* client.get(unknownId)).toEqual(before)
    })
  )

  it.scopedLive("lists jobs page by page, by status and by labels", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxJobs: 7 })
      const client = world[door]
      const ids = yield* Effect.forEach(Array.range(1, 7), (n) =>
        client.start({ ...config, labels: { parity: n % 2 === 0 ? "even" : "odd", "a:b": "c:d" } })
      )
      const newestFirst = [...ids].reverse()
      const page = (before: JobId.JobId | undefined, seen: ReadonlyArray<JobId.JobId>): ReturnType<typeof pages> =>
        Effect.flatMap(client.list({ limit: 3, ...(before && { before }) }), ({ jobs, next }) => {
          const all = [...seen, ...jobs.map(({ id }) => id)]
          return next === undefined ? Effect.succeed(all) : page(next, all)
        })
      const pages = (): Effect.Effect<ReadonlyArray<JobId.JobId>, unknown> => page(undefined, [])
      expect(yield* pages()).toEqual(newestFirst)
      expect((yield* client.list({ limit: 7 })).next).toBeUndefined()

      const idsOf = (query: Http.JobClient.JobQuery) =>
        Effect.map(client.list(query), ({ jobs }) => jobs.map(({ id }) => id))
      expect(yield* idsOf({ labels: { parity: "even" } })).toEqual(newestFirst.filter((_, i) => i % 2 === 1))
      expect(yield* idsOf({ labels: { parity: "even", other: "x" } })).toEqual([])
      yield* client.stop(newestFirst[0] ?? unknownId)
      expect(yield* idsOf({ status: "cancelled" })).toEqual(newestFirst.slice(0, 1))
    })
  )

  it.scopedLive("searches jobs for the words of a text, with the other filters", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxJobs: 3 })
      const client = world[door]
      const start = (team: string, tasksDir: string) => client.start({ ...config, tasksDir, labels: { team } })
      const [first, second, third] = [
        yield* start("web", "tasks/login page"),
        yield* start("core", "tasks/login form"),
        yield* start("web", "tasks/pager")
      ]
      const found = (query: Http.JobClient.JobQuery) =>
        Effect.map(client.list(query), ({ jobs }) => jobs.map(({ id }) => id))
      expect(yield* found({ q: "page" })).toEqual([third, first])
      expect(yield* found({ q: "LOG web" })).toEqual([first])
      expect(yield* found({ q: 'login" OR "pager' })).toEqual([])
      expect(yield* found({ q: "login", labels: { team: "core" } })).toEqual([second])
      expect(yield* found({ q: "tasks", limit: 1 })).toEqual([third])
      expect(yield* found({ q: "tasks", before: second })).toEqual([first])
      expect(yield* found({ q: "tasks", status: "completed" })).toEqual([])
      const refused = yield* world.send({ path: `/api/v1/jobs?q=${"x".repeat(201)}` })
      expect(refused.status).toBe(400)
      expect(refused.text).toContain("expected a text of at most 200 characters")
    })
  )

  it.scopedLive("exports a job, while it runs and when it is over", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const client = world[door]
      const id = yield* client.start(config)
      const exported = Effect.map(Stream.mkString(Stream.decodeText(client.export(id))), (text): unknown =>
        JSON.parse(text)
      )
      expect(yield* exported).toMatchObject({ charlotte: 1, complete: false, run: { id, status: "running" } })
      yield* client.signal(id, "approve", { ok: true })
      yield* World.script(world).send(id, Step.emit({ type: "half.done" }), Step.succeed("all"))
      yield* Stream.runDrain(client.events(id))
      const document = yield* exported
      expect(document).toMatchObject({
        charlotte: 1,
        run: { id, status: "completed", result: "all" },
        events: [{ type: "job.started" }, { type: "job.signalled" }, { type: "half.done" }, { type: "job.completed" }],
        units: [],
        tasks: [],
        signals: [{ name: "approve", payload: { ok: true } }]
      })
      expect(document).not.toHaveProperty("complete")
      expect(yield* Effect.flip(Stream.runDrain(client.export(unknownId)))).toBeInstanceOf(errors.JobNotFound)
      const { headers } = yield* world.send({ path: `/api/v1/jobs/${id}/export` })
      expect(headers["content-type"]).toBe("application/json")
    })
  )

  it.scopedLive("lists the progress of each job", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const client = world[door]
      const { work } = Context.get(world.services, RunStore.RunStore)
      const [jobId, other] = yield* Effect.replicateEffect(client.start(config), 2)
      if (jobId === undefined || other === undefined) return
      yield* work.plan({ jobId, attempt: 1, work: planOf(2, 2) })
      yield* work.task({ jobId, attempt: 1, task: task("unit 0002", 2, 0, { state: "running" }) })
      yield* client.stop(other)
      const { jobs } = yield* client.list()
      expect(jobs.map(({ id, phase, progress }) => [id, phase, progress && { ...progress }])).toEqual([
        [other, undefined, undefined],
        [jobId, "running", { done: 0, total: 4, pending: 3, running: 1, completed: 0, failed: 0, skipped: 0 }]
      ])
    })
  )

  it.scopedLive("follows the events of all jobs from the first or the latest", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const client = world[door]
      const before = yield* client.start(config)
      let isOpen = false
      const later = yield* client.allEvents({ after: "latest" }).pipe(
        Stream.tap(() => Effect.sync(() => (isOpen = true))),
        Stream.takeUntil(({ type }) => type === "job.cancelled"),
        Stream.runCollect,
        Effect.fork
      )
      // Until the stream is open, what happens is not after it.
      const jobs = yield* Effect.iterate([before], {
        while: () => !isOpen,
        body: (jobs) =>
          Effect.delay(
            Effect.map(client.start(config), (id) => [...jobs, id]),
            20
          )
      })
      yield* client.stop(jobs.at(-1) ?? before)
      const seen = Chunk.toReadonlyArray(yield* Fiber.join(later))
      expect(seen.map(({ jobId }) => jobId)).not.toContain(before)

      const all = yield* client.allEvents().pipe(
        Stream.takeUntil(({ type }) => type === "job.cancelled"),
        Stream.runCollect
      )
      expect(Chunk.map(all, ({ cursor }) => cursor)).toEqual(Chunk.range(1, jobs.length + 2))
    })
  )

  it.scopedLive("checks liveness and readiness and requests a shutdown", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const client = world[door]
      expect(yield* client.health).toMatchObject({ version: manifest.version, pid: process.pid })
      yield* client.ready
      const { shutdownRequested } = Context.get(world.services, Http.Server.Server)
      const asked = yield* Effect.fork(shutdownRequested)
      yield* client.shutdown
      yield* Fiber.join(asked)
    })
  )
})
