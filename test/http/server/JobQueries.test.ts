import { describe, expect, it } from "@effect/vitest"
import { Run, RunStore, Work } from "charlotte"
import { Effect, Schema } from "effect"
import { Job, ListedJob } from "../../../src/http/contract/Api.js"
import * as JobQueries from "../../../src/http/server/JobQueries.js"
import { at, created } from "../../store/runs.js"
import { task, unit } from "../../store/work.js"

const work = new Work.Work({
  units: [unit("api", 0, { state: "running" }), unit("web", 1)],
  tasks: [
    task("api", 1, 0, { state: "completed", commit: "a" }),
    task("api", 2, 1, { state: "running" }),
    task("web", 1, 0)
  ]
})

/** What is said of a job with a running unit once its attempt has ended. */
const ended = (change: Pick<RunStore.Change, "type" | "parked"> | undefined) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    const jobId = yield* created(1)
    yield* store.work.plan({ jobId, attempt: 1, work })
    if (change !== undefined) yield* store.record({ ...change, jobId, attempt: 1, at: at(5) })
    const queries = JobQueries.make({
      kinds: "any",
      store,
      phaseOf: ({ status }) => Effect.succeed({ phase: undefined, status }),
      page: store.page
    })
    const { tasks, units } = yield* Schema.encode(Job)(yield* queries.get(jobId))
    const { jobs } = yield* queries.list({ limit: 10 })
    const [listed] = yield* Effect.forEach(jobs, (job) => Schema.encode(ListedJob)(job))
    return {
      units: units.map(({ state }) => state),
      tasks: tasks.map(({ state }) => state),
      progress: listed?.progress
    }
  }).pipe(Effect.provide(RunStore.layerMemory))

const counts = { pending: 1, running: 0, completed: 1, failed: 0, skipped: 0 }

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
