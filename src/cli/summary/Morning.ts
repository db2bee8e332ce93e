/**
 * What a person wants to know in the morning: the jobs that need one, whatever their age, and what has happened since a time.
 */
import { DateTime, Effect, Option } from "effect"
import type { RunStatus } from "../../domain/RunStatus.js"
import type { ListedJob } from "../../http/contract/Api.js"
import * as needsPerson from "../../progress/needsPerson.js"
import * as taskNotes from "../../progress/taskNotes.js"
import type * as JobSource from "../target/JobSource.js"

export interface Morning {
  /** Most urgent first. */
  readonly needs: ReadonlyArray<ListedJob>
  /** Jobs that have ended since that time, latest first. */
  readonly completed: ReadonlyArray<ListedJob>
  readonly failed: ReadonlyArray<Failed>
  /** Parked jobs that continue by themselves. */
  readonly waiting: ReadonlyArray<ListedJob>
  readonly running: ReadonlyArray<ListedJob>
  readonly pending: ReadonlyArray<ListedJob>
  /** What is known about the gates of the latest of these jobs. */
  readonly gates: ReadonlyMap<ListedJob["id"], ReadonlyArray<taskNotes.Line>>
}

/** A failed job, and the job that retries it. */
export interface Failed {
  readonly job: ListedJob
  readonly retry: Pick<ListedJob, "id" | "status"> | undefined
}

const pageSize = 50

/** How many pages of a status are read at most, so that the summary is there at once. */
const mostPages = 4

/** How many jobs are looked up for what is known about their gates. */
const mostJudged = 20

interface Options {
  readonly since: DateTime.DateTime
  readonly isWanted: (job: ListedJob) => boolean
}

export const read = ({ get, list }: Pick<JobSource.Jobs, "get" | "list">, { isWanted, since }: Options) =>
  Effect.gen(function* () {
    const ofStatus = (status: RunStatus, retried?: boolean) =>
      Effect.gen(function* () {
        const found: Array<ListedJob> = []
        let before: ListedJob["id"] | undefined
        for (let page = 0; page < mostPages && found.length < pageSize; page++) {
          const { jobs, next } = yield* list({
            status,
            limit: pageSize,
            ...(retried !== undefined && { retried }),
            ...(before && { before })
          })
          found.push(...jobs.filter(isWanted))
          before = next
          if (next === undefined) break
        }
        return found
      })
    const isRecent = ({ endedAt }: ListedJob) => endedAt !== undefined && DateTime.greaterThanOrEqualTo(endedAt, since)
    const latestFirst = (a: ListedJob, b: ListedJob) =>
      (b.endedAt?.epochMillis ?? 0) - (a.endedAt?.epochMillis ?? 0) || (a.id < b.id ? 1 : -1)

    const [parked, interrupted, running, pending, failed, unsettled, completed, cancelled] = yield* Effect.all(
      [
        ofStatus("parked"),
        ofStatus("interrupted"),
        ofStatus("running"),
        ofStatus("pending"),
        ofStatus("failed"),
        ofStatus("failed", false),
        ofStatus("completed"),
        ofStatus("cancelled")
      ],
      { concurrency: 4 }
    )
    const all = [...parked, ...interrupted, ...running, ...pending, ...failed, ...completed, ...cancelled]
    const known = new Map(all.map((job) => [job.id, job]))
    const recent = failed.filter(isRecent).sort(latestFirst)
    const needs = needsPerson.choose([...parked, ...interrupted, ...unsettled])
    const done = completed.filter(isRecent).sort(latestFirst)
    const judged = [...needs.slice(0, needsPerson.most), ...done].filter(({ kind }) => kind === "tasks")
    const gates = yield* Effect.forEach(
      judged.slice(0, mostJudged),
      ({ id }) =>
        // It may have been pruned meanwhile.
        Effect.map(Effect.option(get(id)), (job) => {
          const tasks = Option.match(job, { onNone: () => [], onSome: ({ tasks }) => tasks })
          return [id, taskNotes.ofJob(taskNotes.ofRecords(tasks))] as const
        }),
      { concurrency: 4 }
    )
    const morning: Morning = {
      needs,
      completed: done,
      failed: yield* Effect.forEach(recent, (job): Effect.Effect<Failed> => {
        const { retriedAs } = job
        if (retriedAs === undefined) return Effect.succeed<Failed>({ job, retry: undefined })
        const retry = known.get(retriedAs)
        return retry === undefined
          ? Effect.map(Effect.option(get(retriedAs)), (retry): Failed => ({ job, retry: Option.getOrUndefined(retry) }))
          : Effect.succeed<Failed>({ job, retry })
      }),
      waiting: parked.filter(needsPerson.isWaiting),
      running,
      pending,
      gates: new Map(gates)
    }
    return all.length === 0 ? Option.none<Morning>() : Option.some(morning)
  })
