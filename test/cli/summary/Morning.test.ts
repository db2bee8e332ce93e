import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, Option } from "effect"
import * as Morning from "../../../src/cli/summary/Morning.js"
import { JobId } from "../../../src/domain/JobId.js"
import { Question } from "../../../src/domain/Question.js"
import type { RunStatus } from "../../../src/domain/RunStatus.js"
import type { Jobs } from "../../../src/cli/target/JobSource.js"
import { Job, JobUnit, ListedJob } from "../../../src/http/contract/Job.js"
import { run } from "../run/ended.js"
import { noon } from "../run/scenario.js"

const job = (n: number, status: RunStatus, fields: object = {}) =>
  new ListedJob({ ...run(status), id: JobId.make(`01ARZ3NDEKTSV4RRFFQ69G5${String(n).padStart(3, "0")}`), ...fields })

const question = new Question({
  unit: "api",
  task: 1,
  seq: 1,
  agent: "claude",
  question: "Which port?",
  askedAt: DateTime.unsafeMake(noon)
})

/** The morning of these jobs, and how many lists were read for it. */
const morningOf = (jobs: ReadonlyArray<ListedJob>, get: Jobs["get"] = () => Effect.never) =>
  Effect.gen(function* () {
    let lists = 0
    const morning = yield* Morning.read(
      {
        list: ({ before, handled, limit = 100, retried, status } = {}) =>
          Effect.sync(() => {
            lists += 1
            const found = jobs
              .filter((job) => status === undefined || job.status === status)
              .filter((job) => retried === undefined || (job.retriedAs !== undefined) === retried)
              .filter((job) => handled === undefined || (job.handled === true) === handled)
              .filter(({ id }) => before === undefined || id < before)
            return { jobs: found.slice(0, limit), next: found.length > limit ? found[limit - 1]?.id : undefined }
          }),
        get
      },
      { since: DateTime.unsafeMake(noon - 1_000), isWanted: () => true }
    )
    return { morning: Option.getOrThrow(morning), lists }
  })

const ids = (jobs: ReadonlyArray<Pick<ListedJob, "id">>) => jobs.map(({ id }) => id)

describe("what a person wants to know in the morning", () => {
  const others = [
    job(106, "failed", { kind: "email", handled: true, endedAt: DateTime.unsafeMake(noon - 2_000) }),
    job(105, "running"),
    job(104, "running", { kind: "email", questions: [question] }),
    job(103, "failed", { kind: "email" }),
    job(102, "failed", { kind: "email", retriedAs: job(105, "running").id }),
    job(101, "completed", { kind: "email" })
  ]
  const [, busy, asks, failed, retried, done] = others
  const many = Array.from({ length: 60 }, (_, at) => job(60 - at, "cancelled", { kind: "email" }))

  for (const [where, jobs, most] of [
    ["read by one request where there are few jobs", others, 1],
    ["the same where there are many", [...others, ...many], 10]
  ] as const)
    it.effect(`includes a job that is running, of which an agent asks, ${where}`, () =>
      Effect.gen(function* () {
        const { lists, morning } = yield* morningOf(jobs)
        expect(lists).toBeLessThanOrEqual(most)
        expect(ids(morning.needs)).toEqual([asks?.id, failed?.id])
        expect(ids(morning.running)).toEqual([busy?.id])
        expect(morning.failed.map(({ job, retry }) => [job.id, retry?.id])).toEqual([
          [failed?.id, undefined],
          [retried?.id, busy?.id]
        ])
        expect(ids(morning.completed)).toEqual([done?.id])
      })
    )

  it.effect("includes which failed jobs have work that has not landed, and which another job has landed", () =>
    Effect.gen(function* () {
      const [kept, landed] = [job(2, "failed"), job(1, "failed")]
      const units = [new JobUnit({ unit: "api", position: 0, dependsOn: [], state: "merged" })]
      const landedAs = job(3, "completed").id
      const { morning } = yield* morningOf([kept, landed], (id) =>
        Effect.succeed(
          id === kept.id
            ? new Job({ ...kept, phase: undefined, units, tasks: [] })
            : new Job({ ...landed, phase: undefined, units, tasks: [], landedAs })
        )
      )
      expect([...morning.unlanded]).toEqual([kept.id])
      expect([...morning.landedAs]).toEqual([[landed.id, landedAs]])
    })
  )
})
