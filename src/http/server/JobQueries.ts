/**
 * Reads jobs from a store as the contract describes them, for the server and for commands that run without one.
 */
import { Effect, Option, Schema } from "effect"
import { JobNotFound, type StoreError } from "../../domain/errors.js"
import { JobId } from "../../domain/JobId.js"
import type { RecordedChild } from "../../domain/RecordedChild.js"
import type { RecordedStep } from "../../domain/RecordedStep.js"
import type { Run } from "../../domain/Run.js"
import { isTerminal } from "../../domain/RunStatus.js"
import type { HeldKey, RunPage, RunQuery } from "../../store/RunStore.js"
import * as Page from "../../store/rules/Page.js"
import type { Reads } from "../../store/Runs.js"
import * as payload from "../../progress/payload.js"
import { isUnlanded } from "../../progress/isUnlanded.js"
import * as costs from "../../progress/cost.js"
import { shownCounts, shownWork, taskProgress } from "../../progress/shownState.js"
import { Job, JobKey, JobPage, JobProgress, JobStep, JobTask, JobUnit, ListedJob } from "../contract/Api.js"
import { StepNotFound } from "../contract/errors.js"
import { parse } from "../../internal/Json.js"
import { exportJob } from "./exportJob.js"
import { withoutIdempotencyKey } from "../../domain/withoutIdempotencyKey.js"

export interface JobQueries {
  /** A page of jobs, newest first: at most `limit` jobs and about 4 MiB of JSON. */
  readonly list: (query: PageQuery) => Effect.Effect<JobPage, StoreError>
  readonly get: (id: JobId) => Effect.Effect<Job, JobNotFound | StoreError>
  /** The steps of a job after a `seq`, in order. */
  readonly steps: (
    id: JobId,
    page: { readonly after?: number | undefined; readonly limit?: number | undefined }
  ) => Effect.Effect<ReadonlyArray<RecordedStep>, JobNotFound | StoreError>
  readonly step: (id: JobId, name: string) => Effect.Effect<JobStep, JobNotFound | StepNotFound | StoreError>
  /** The children of a job before a child, newest first. */
  readonly children: (
    id: JobId,
    page: { readonly before?: JobId | undefined; readonly limit?: number | undefined }
  ) => Effect.Effect<ReadonlyArray<RecordedChild>, JobNotFound | StoreError>
  /** The complete record of a job, as one JSON document in pieces. */
  readonly export: (id: JobId) => ReturnType<typeof exportJob>
}

/** `kinds` defaults to all kinds that the server has. */
export type PageQuery = Omit<RunQuery, "kind"> & { readonly limit: number; readonly kinds?: ReadonlyArray<string> }

/** In characters of JSON. A larger job is alone on its page. */
const maxSize = 4 * 1024 * 1024

/** Runs per query: labels, config and result of a run may be large. */
const batchSize = 50

/** How many unit names a listed job has: the names shown, and one more that says whether there are others. */
const mostNames = 4

/** How many steps and children a job, and a page of them by default, has at most. */
const mostSteps = 100

/** How many jobs that retry each other are added up at most. */
const mostRetries = 100

/** How many jobs that name a job are read to find a job that has landed its work. */
const mostNaming = 100

const decodeFormer = Schema.decodeUnknownOption(Schema.Struct({ retryOf: JobId }).pipe(Schema.pluck("retryOf")))

/** The job that a job retries; a task job may name it in its config. */
const formerOf = ({ config, retryOf }: Run): Option.Option<JobId> =>
  Option.orElse(Option.fromNullable(retryOf), () => decodeFormer(config))

const encode = Schema.encodeSync(ListedJob)

/** Runs were decoded by the store. */
const unchecked = { disableValidation: true }

const toJobKey = ({ holder, key, of }: HeldKey): JobKey =>
  new JobKey(
    { key, origin: of === "key" ? "check" : "start", holder: holder.id, holderStatus: holder.status },
    unchecked
  )

const unfinished = (runs: ReadonlyArray<Run>) => runs.filter(({ status }) => !isTerminal(status)).map(({ id }) => id)

export const make = ({
  kinds,
  phaseOf,
  store,
  page = ({ kinds: of = kinds === "any" ? [] : kinds, ...query }) => {
    const [kind, ...others] = of
    if (kind !== undefined && others.length === 0) return store.page({ ...query, kind })
    // Each kind has its own queue: without a kind, the store refuses that order.
    if (query.order !== undefined) return store.page(query)
    return Effect.map(
      Effect.forEach(of, (kind) => store.page({ ...query, kind })),
      Page.merged(query.limit)
    )
  }
}: {
  /** The kinds that are served; a job of another kind is not found. */
  readonly kinds: ReadonlyArray<string> | "any"
  readonly phaseOf: (run: Run) => Effect.Effect<Pick<Job, "phase"> & { readonly status: Run["status"] }>
  readonly store: Reads
  readonly page?: (query: PageQuery) => Effect.Effect<RunPage, StoreError>
}): JobQueries => {
  const isServed = ({ kind }: Run) => kinds === "any" || kinds.includes(kind)
  const view = (run: Run) => Effect.map(phaseOf(run), (phase) => ({ ...withoutIdempotencyKey(run), ...phase }))

  /** The job to which the steps and children of a job belong. */
  const chainOf = (id: JobId) =>
    Effect.flatMap(store.get(id), (found) =>
      Option.isSome(found) && isServed(found.value)
        ? Effect.succeed(found.value.chain ?? id)
        : new JobNotFound({ jobId: id })
    )

  /** The jobs that a job retries, and the jobs that retry it. */
  const retries = (run: Run) =>
    Effect.gen(function* () {
      const found = new Set<JobId>()
      for (const next of [formerOf, ({ retriedAs }: Run) => Option.fromNullable(retriedAs)]) {
        for (let id = next(run); Option.isSome(id) && !found.has(id.value) && found.size < mostRetries;) {
          // A config may name any job.
          const other = Option.filter(yield* store.get(id.value), isServed)
          if (Option.isSome(other)) found.add(id.value)
          id = Option.flatMap(other, next)
        }
      }
      return [...found]
    })

  /** The job that has landed all that a job had done: its config names that job, and is searched. */
  const landedAs = (run: Run) =>
    Effect.map(page({ kinds: [run.kind], status: "completed", q: run.id, limit: mostNaming }), ({ runs }) => {
      const found = runs.find(
        ({ config, result }) =>
          payload.string(config, "landOf") === run.id &&
          payload.json(config, "units") === undefined &&
          payload.string(result, "landed") !== undefined
      )
      return found?.id
    })

  return {
    list: (query) =>
      Effect.gen(function* () {
        const jobs: Array<ListedJob> = []
        let size = 0
        let before = query.before
        for (;;) {
          const limit = Math.min(batchSize, query.limit - jobs.length)
          const { next, runs } = yield* page({ ...query, limit, ...(before && { before }) })
          const ids = runs.map(({ id }) => id)
          const counts = yield* store.work.counts(ids)
          const open = counts.size === 0 ? undefined : yield* store.questions.open(unfinished(runs))
          const spent = counts.size === 0 ? undefined : yield* store.work.costs(ids)
          const names = counts.size === 0 ? undefined : yield* store.work.unitNames(ids, mostNames)
          for (const run of runs) {
            const shown = yield* view(run)
            const count = counts.get(run.id)
            const progress = count
              ? new JobProgress(taskProgress(shownCounts(count, shown.status)), unchecked)
              : shown.progress && new JobProgress(shown.progress, unchecked)
            const unitNames = names?.get(run.id)
            const questions = open?.get(run.id)
            const cost = costs.sum(spent?.get(run.id) ?? [])
            const job = new ListedJob(
              {
                ...shown,
                progress,
                ...(cost && { cost }),
                ...(unitNames && { unitNames }),
                ...(questions && { questions })
              },
              unchecked
            )
            size += JSON.stringify(encode(job)).length
            if (jobs.length > 0 && size > maxSize) return new JobPage({ jobs, next: before }, unchecked)
            jobs.push(job)
            before = run.id
          }
          // With several labels, or a text to search for, a page of the store may be short or empty although more follow.
          if (Option.isNone(next) || jobs.length >= query.limit || runs.length < limit) {
            return new JobPage({ jobs, next: Option.getOrUndefined(next) }, unchecked)
          }
        }
      }),
    steps: (id, { after = 0, limit = mostSteps }) =>
      Effect.flatMap(chainOf(id), (chain) => store.steps.list({ chain, after, limit })),
    step: (id, name) =>
      Effect.gen(function* () {
        const found = yield* store.steps.get({ chain: yield* chainOf(id), name })
        if (Option.isNone(found)) return yield* new StepNotFound({ jobId: id, step: name })
        const { step, value } = found.value
        return new JobStep({ ...step, ...(value !== undefined && { value: parse(value) }) }, unchecked)
      }),
    children: (id, { before, limit = mostSteps }) =>
      Effect.flatMap(chainOf(id), (chain) => store.children.list({ chain, before, limit })),
    export: (id) => exportJob(store, id, isServed),
    get: (id) =>
      Effect.gen(function* () {
        const found = yield* store.withWork(id)
        if (Option.isNone(found) || !isServed(found.value.run)) return yield* new JobNotFound({ jobId: id })
        const { run, work } = found.value
        const keys = isTerminal(run.status) ? undefined : (yield* store.keys(id)).map(toJobKey)
        const shown = yield* view(run)
        const questions = work.tasks.length === 0 ? [] : yield* store.questions.of(id)
        const cost = costs.sum(work.tasks.map(({ cost }) => cost))
        const steps =
          work.units.length > 0 ? [] : yield* store.steps.latest({ chain: run.chain ?? id, limit: mostSteps })
        const children =
          work.units.length > 0 ? [] : yield* store.children.list({ chain: run.chain ?? id, limit: mostSteps })
        const others = yield* retries(run)
        const retriesCost =
          others.length === 0 ? undefined : costs.sum([cost, ...[...(yield* store.work.costs(others)).values()].flat()])
        const { tasks, units } = shownWork(work, shown.status, questions)
        const landed = isUnlanded({ ...run, tasks, units }) ? yield* landedAs(run) : undefined
        return new Job(
          {
            ...shown,
            ...(keys && { keys }),
            units: units.map((unit) => new JobUnit(unit, unchecked)),
            tasks: tasks.map((task) => new JobTask(task, unchecked)),
            ...(cost && { cost }),
            ...(retriesCost && { retriesCost }),
            ...(landed && { landedAs: landed }),
            ...(questions.length > 0 && { questions }),
            ...(steps.length > 0 && { steps }),
            ...(children.length > 0 && { children: children.toReversed() })
          },
          unchecked
        )
      })
  }
}
