import { describe, expect, it } from "@effect/vitest"
import { type JobId, Run, RunStore, Work } from "charlotte"
import { Array, type Context, Effect, Schema } from "effect"
import { Job, JobPage, ListedJob } from "../../../src/http/contract/Api.js"
import * as JobQueries from "../../../src/http/server/JobQueries.js"
import { at, created, error, kind } from "../../store/runs.js"
import { task, unit } from "../../store/work.js"

const work = new Work.Work({
  units: [unit("api", 0, { state: "running" }), unit("web", 1)],
  tasks: [
    task("api", 1, 0, { state: "completed", commit: "a" }),
    task("api", 2, 1, { state: "running" }),
    task("web", 1, 0)
  ]
})

const queriesOf = (store: Context.Tag.Service<RunStore.RunStore>, kinds: "any" | ReadonlyArray<string> = "any") =>
  JobQueries.make({
    kinds,
    store,
    phaseOf: ({ status }) => Effect.succeed({ phase: undefined, status }),
    page: store.page
  })

/** What is said of a job with a running unit once its attempt has ended. */
const ended = (change: Pick<RunStore.Change, "type" | "parked"> | undefined) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    const jobId = yield* created(1)
    yield* store.work.plan({ jobId, attempt: 1, work })
    if (change !== undefined) yield* store.record({ ...change, jobId, attempt: 1, at: at(5) })
    const queries = queriesOf(store)
    const { tasks, units } = yield* Schema.encode(Job)(yield* queries.get(jobId))
    const { jobs } = yield* queries.list({ limit: 10 })
    const [listed] = yield* Effect.forEach(jobs, (job) => Schema.encode(ListedJob)(job))
    return {
      units: units.map(({ state }) => state),
      tasks: tasks.map(({ state }) => state),
      progress: listed?.progress
    }
  }).pipe(Effect.provide(RunStore.layerMemory))

const counts = { done: 1, total: 3, pending: 1, running: 0, completed: 1, failed: 0, skipped: 0 }

describe("the units and tasks of a job", () => {
  it.effect("are running while the job is", () =>
    Effect.gen(function* () {
      expect(yield* ended(undefined)).toEqual({
        units: ["running", "pending"],
        tasks: ["completed", "running", "pending"],
        progress: { ...counts, running: 1 }
      })
    })
  )

  it.effect("wait while the job is parked", () =>
    Effect.gen(function* () {
      const parked = new Run.Parked({ reason: "the limit", until: at(9) })
      expect(yield* ended({ type: "job.parked", parked })).toEqual({
        units: ["waiting", "pending"],
        tasks: ["completed", "waiting", "pending"],
        progress: { ...counts, waiting: 1 }
      })
    })
  )

  for (const type of ["job.interrupted", "job.cancelled"] as const)
    it.effect(`are interrupted after ${type}`, () =>
      Effect.gen(function* () {
        expect(yield* ended({ type })).toEqual({
          units: ["interrupted", "pending"],
          tasks: ["completed", "interrupted", "pending"],
          progress: { ...counts, interrupted: 1 }
        })
      })
    )
})

describe("the progress of a job without tasks", () => {
  it.effect("is what it has reported last, in a list and alone", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const jobId = yield* created(1)
      const progress = new Run.Progress({ done: 1, total: 2, text: "resizing" })
      yield* store.progress({ jobId, attempt: 1, tries: 0, progress })
      const queries = queriesOf(store)
      expect((yield* Schema.encode(Job)(yield* queries.get(jobId))).progress).toEqual({ ...progress })
      const { jobs } = yield* Schema.encode(JobPage)(yield* queries.list({ limit: 10 }))
      expect(jobs[0]?.progress).toEqual({ ...progress })
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})

describe("a job whose work has not landed", () => {
  it.effect("names the job that has landed all of it, if there is one", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const queries = queriesOf(store)
      const tasks = { kind: "tasks" }
      const done = yield* created(1, tasks)
      const merged = new Work.Work({ units: [unit("api", 0, { state: "merged", commit: "a" })], tasks: [] })
      yield* store.work.plan({ jobId: done, attempt: 1, work: merged })
      yield* store.record({ type: "job.cancelled", jobId: done, attempt: 1, at: at(5) })
      const landedBy = (n: number, config: unknown, result: unknown) =>
        Effect.gen(function* () {
          const jobId = yield* created(n, { ...tasks, config })
          yield* store.record({ type: "job.completed", jobId, attempt: 1, at: at(5 + n), result })
          return [jobId, (yield* queries.get(done)).landedAs]
        })
      for (const [n, config] of [{ landOf: done, units: ["api"] }, { retryOf: done }].entries())
        expect((yield* landedBy(n + 2, config, { landed: "a" }))[1]).toBeUndefined()
      expect((yield* landedBy(4, { landOf: done }, { branch: "b" }))[1]).toBeUndefined()
      const [landing, named] = yield* landedBy(5, { landOf: done }, { landed: "a" })
      expect(named).toBe(landing)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})

describe("the cost of a job", () => {
  it.effect("is the sum of its tasks, and has beside it the sum over the jobs that retry each other", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const cost = (usd: number) => ({ input: 1, cached: 2, output: 3, usd })
      const planned = (n: number, config: unknown, ...costs: ReadonlyArray<number>) =>
        Effect.gen(function* () {
          const jobId = yield* created(n, { config })
          const tasks = costs.map((usd, at) => task("api", at + 1, at, { cost: cost(usd) }))
          yield* store.work.plan({ jobId, attempt: 1, work: new Work.Work({ units: [unit("api", 0)], tasks }) })
          return jobId
        })
      const first = yield* planned(1, {}, 0.1, 0.2)
      const second = yield* planned(2, { retryOf: first }, 0.3)
      const third = yield* planned(3, { retryOf: second }, 1)
      const other = yield* planned(4, {})
      const queries = queriesOf(store)
      const { jobs } = yield* queries.list({ limit: 10 })
      expect(jobs.map(({ cost }) => cost?.usd)).toEqual([undefined, 1, 0.3, 0.3])
      const found = yield* Effect.forEach([first, third, other], queries.get)
      expect(found.map(({ cost, retriesCost }) => [cost, retriesCost])).toEqual([
        [{ input: 2, cached: 4, output: 6, usd: 0.3 }, undefined],
        [cost(1), { input: 4, cached: 8, output: 12, usd: 1.6 }],
        [undefined, undefined]
      ])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.effect("has beside it no cost of a job that is not served, although a config may name it", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const cost = { input: 1, cached: 2, output: 3, usd: 5 }
      const planned = (n: number, fields: Partial<RunStore.NewRun>) =>
        Effect.tap(created(n, fields), (jobId) =>
          store.work.plan({
            jobId,
            attempt: 1,
            work: new Work.Work({ units: [unit("api", 0)], tasks: [task("api", 1, 0, { cost })] })
          })
        )
      const hidden = yield* planned(1, { labels: { tenant: "bolt" } })
      const other = yield* planned(2, { kind: "other" })
      const served = { ...store, get: (id: JobId.JobId) => (id === hidden ? Effect.succeedNone : store.get(id)) }
      const queries = queriesOf(served, [kind])
      for (const [n, retryOf] of [hidden, other].entries()) {
        const id = yield* planned(n + 3, { config: { retryOf } })
        const found = yield* queries.get(id)
        expect([found.cost, found.retriesCost]).toEqual([cost, undefined])
      }
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})

describe("the steps of a job", () => {
  it.effect("are the newest 100, including the steps of the jobs that it retries", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const queries = queriesOf(store)
      const first = yield* created(1)
      expect((yield* queries.get(first)).steps).toBeUndefined()
      for (const seq of Array.range(1, 101)) {
        const step = { chain: first, jobId: first, attempt: 1, tries: 0, seq, name: `step ${seq}`, ok: true }
        yield* store.steps.record({ ...step, value: undefined, at: at(seq), millis: 1, replaces: false })
      }
      yield* store.record({ type: "job.failed", jobId: first, attempt: 1, at: at(200), error })
      const second = yield* created(2, { isQueued: true, retryOf: { id: first, fresh: false } })
      const { chain, steps = [] } = yield* queries.get(second)
      expect(chain).toBe(first)
      expect(steps.map(({ seq }) => seq)).toEqual(Array.range(2, 101))
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})
