/**
 * What a person wants to know in the morning: the jobs that need one, whatever their age, and what has happened since a time.
 */
import { DateTime, Effect, Option, Tuple } from "effect"
import type { RunStatus } from "../../domain/RunStatus.js"
import type { ListedJob } from "../../http/contract/Api.js"
import { isUnlanded } from "../../progress/isUnlanded.js"
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
  /** Those of the latest of these jobs whose work has not landed. */
  readonly unlanded: ReadonlySet<ListedJob["id"]>
  /** Those of the latest of these jobs whose work another one has landed. */
  readonly landedAs: ReadonlyMap<ListedJob["id"], ListedJob["id"]>
  /** The jobs that may have cost something. */
  readonly spending: {
    /** Since that time. */
    readonly ended: ReadonlyArray<ListedJob>
    readonly unfinished: ReadonlyArray<ListedJob>
    /** Whether there are too many jobs to read all of them. */
    readonly isPartial: boolean
  }
}

/** What is found where there is no job. */
export const nothing: Morning = {
  needs: [],
  completed: [],
  failed: [],
  waiting: [],
  running: [],
  pending: [],
  gates: new Map(),
  unlanded: new Set(),
  landedAs: new Map(),
  spending: { ended: [], unfinished: [], isPartial: false }
}

/** A failed job, and the job that retries it. */
export interface Failed {
  readonly job: ListedJob
  readonly retry: Pick<ListedJob, "id" | "status"> | undefined
}

const pageSize = 50

/** How many pages of a status are read at most, so that the summary is there at once. */
const mostPages = 4

/** How many jobs are looked up for what is known about their gates, and for whether they have landed. */
const mostJudged = 20

interface Options {
  readonly since: DateTime.DateTime
  readonly isWanted: (job: ListedJob) => boolean
}

export const read = ({ get, list }: Pick<JobSource.Jobs, "get" | "list">, { isWanted, since }: Options) =>
  Effect.gen(function* () {
    const newest = yield* list({ limit: pageSize })
    // Usually it has all jobs: each further request would take milliseconds.
    const only = newest.next === undefined ? newest.jobs.filter(isWanted) : undefined
    const ofStatus = (status: RunStatus, isUnsettled = false) =>
      Effect.gen(function* () {
        if (only !== undefined) return { found: only.filter((job) => job.status === status), isPartial: false }
        const found: Array<ListedJob> = []
        let isPartial = false
        let before: ListedJob["id"] | undefined
        for (let page = 0; page < mostPages && found.length < pageSize; page++) {
          const { jobs, next } = yield* list({
            status,
            limit: pageSize,
            ...(isUnsettled && { retried: false, handled: false }),
            ...(before && { before })
          })
          found.push(...jobs.filter(isWanted))
          before = next
          // Most of the jobs that were started before that time have also ended before it.
          isPartial = next !== undefined && jobs.some(({ createdAt }) => DateTime.greaterThan(createdAt, since))
          if (next === undefined) break
        }
        return { found, isPartial }
      })
    const isRecent = ({ endedAt }: ListedJob) => endedAt !== undefined && DateTime.greaterThanOrEqualTo(endedAt, since)
    const latestFirst = (a: ListedJob, b: ListedJob) =>
      (b.endedAt?.epochMillis ?? 0) - (a.endedAt?.epochMillis ?? 0) || (a.id < b.id ? 1 : -1)

    const pages = yield* Effect.all(
      [
        ofStatus("parked"),
        ofStatus("interrupted"),
        ofStatus("running"),
        ofStatus("pending"),
        ofStatus("failed"),
        ofStatus("failed", true),
        ofStatus("completed"),
        ofStatus("cancelled")
      ],
      { concurrency: 4 }
    )
    const [parked, interrupted, running, pending, failed, unsettled, completed, cancelled] = Tuple.map(
      pages,
      ({ found }) => found
    )
    const all = [...parked, ...interrupted, ...running, ...pending, ...failed, ...completed, ...cancelled]
    const known = new Map(all.map((job) => [job.id, job]))
    const recent = failed.filter(isRecent).sort(latestFirst)
    const needs = needsPerson.choose([...parked, ...interrupted, ...running, ...unsettled])
    const done = completed.filter(isRecent).sort(latestFirst)
    const judged = [...needs.slice(0, needsPerson.most), ...done].filter(({ kind }) => kind === "tasks")
    const looked = yield* Effect.forEach(
      judged.slice(0, mostJudged),
      ({ id }) =>
        // It may have been pruned meanwhile.
        Effect.map(Effect.option(get(id)), (job) => ({
          id,
          gates: taskNotes.ofJob(
            taskNotes.ofRecords(Option.match(job, { onNone: () => [], onSome: ({ tasks }) => tasks }))
          ),
          isUnlanded: Option.exists(job, isUnlanded),
          landedAs: Option.getOrUndefined(job)?.landedAs
        })),
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
      running: running.filter((job) => !needs.includes(job)),
      pending,
      gates: new Map(looked.map(({ gates, id }) => [id, gates])),
      unlanded: new Set(looked.flatMap(({ id, isUnlanded }) => (isUnlanded ? [id] : []))),
      landedAs: new Map(
        looked.flatMap(({ id, landedAs }) => (landedAs === undefined ? [] : [[id, landedAs] as const]))
      ),
      spending: {
        ended: [...done, ...recent, ...cancelled.filter(isRecent)],
        unfinished: [...parked, ...interrupted, ...running],
        isPartial: pages.some(({ isPartial }) => isPartial)
      }
    }
    return all.length === 0 ? Option.none<Morning>() : Option.some(morning)
  })
