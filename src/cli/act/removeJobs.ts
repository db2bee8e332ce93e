/**
 * `charlotte remove`: removes jobs that are over, through the process that runs jobs, or in the database if there is none. It asks once.
 */
import { Effect, Option, Stream } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { UsageError } from "../parser/UsageError.js"
import * as JobRef from "../target/JobRef.js"
import { Confirmation } from "../terminal/Confirmation.js"
import * as format from "../terminal/format.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { acting } from "./acting.js"
import type { Acts } from "./Acts.js"
import { sender } from "./sender.js"
import * as severalJobs from "./severalJobs.js"

const statuses = ["completed", "failed", "cancelled"] as const

type Filter = severalJobs.Filter<(typeof statuses)[number]>

interface Manner {
  readonly stop: boolean
  readonly pinned: boolean
}

export interface Options extends Filter, Manner {
  readonly jobs: ReadonlyArray<string>
  readonly yes: boolean
  readonly json: boolean
}

const hint = "see: charlotte remove --help"

export const one = (name: string, manner: Manner) =>
  acting((jobs) =>
    Effect.gen(function* () {
      const id = yield* JobRef.find(jobs, name)
      yield* jobs.remove(id, { ...manner, by: sender() })
      return id
    })
  )

export const removeJobs = (options: Options) =>
  Effect.gen(function* () {
    const isFiltered = severalJobs.isFiltered(options)
    if (isFiltered !== (options.jobs.length === 0)) {
      const problem = isFiltered ? "give either jobs or filters, not both" : "missing argument <job>, or a filter"
      return yield* new UsageError({ problem, hint })
    }
    if (isFiltered && options.stop) {
      return yield* new UsageError({
        problem: "--stop is for jobs that are named; filters find those that are over",
        hint
      })
    }
    yield* acting((jobs) => (isFiltered ? matching(jobs, options) : named(jobs, options)))
  }).pipe(Effect.provide(Home.layerUntouched))

const named = (jobs: Acts, { jobs: names, json, pinned, stop, yes }: Options) =>
  Effect.gen(function* () {
    const ids = yield* Effect.forEach(names, (name) => JobRef.find(jobs, name))
    const what = ids.length <= 5 ? `${ids.length === 1 ? "job" : "jobs"} ${ids.join(", ")}` : `${ids.length} jobs`
    if (!(yield* isAgreed(yes, `Remove ${what}, and all that is recorded of ${ids.length === 1 ? "it" : "them"}?`)))
      return
    const remove = (id: (typeof ids)[number]) => jobs.remove(id, { stop, pinned, by: sender() })
    const [id, ...others] = ids
    // The error of a single job is that of the command, which says what to do.
    if (id !== undefined && others.length === 0) {
      yield* remove(id)
      return yield* json
        ? writeJson({ id, removed: true })
        : writeLines([[StyledLine.raw("✓ ", "good"), StyledLine.raw(`job ${id} is removed`)]])
    }
    yield* severalJobs.each(ids, remove, {
      json,
      toJson: () => ({ removed: true }),
      done: (id) => `job ${id} is removed`
    })
  })

/** How many jobs are counted before it asks. */
const countable = 1_000

const matching = (jobs: Acts, { json, pinned, yes, ...filter }: Options) =>
  Effect.gen(function* () {
    const { by, ...query } = severalJobs.queryOf(filter)
    const remove = Effect.gen(function* () {
      const progress = yield* Stream.runLast(jobs.removeMany({ ...query, pinned, by }))
      const { removed, ...rest } = Option.getOrElse(progress, () => ({ removed: 0, refused: 0 }))
      yield* severalJobs.report("removed", { done: removed, ...rest }, { json })
    })
    if (yes) return yield* remove
    const found = yield* Effect.forEach(query.status === undefined ? statuses : [query.status], (status) => {
      const { labels, q } = { labels: undefined, ...query }
      return jobs.list({
        kind: query.kind,
        status,
        retried: false,
        limit: countable,
        ...(labels && { labels }),
        ...(q !== undefined && { q })
      })
    })
    const count = found.reduce((sum, { jobs }) => sum + jobs.length, 0)
    // Without a filter besides the kind, the request is refused, and says so.
    const isMore = found.some(({ next }) => next !== undefined)
    const what = `${isMore ? "more than " : ""}${format.count(count, "job")} of kind ${query.kind}`
    if (count === 0 || (yield* isAgreed(false, `Remove ${what}, and all that is recorded of them?`))) yield* remove
  })

/** Whether the person wants it, who is asked unless `yes`. */
const isAgreed = (yes: boolean, question: string) =>
  Effect.gen(function* () {
    if (yes) return true
    const answer = yield* (yield* Confirmation)(question)
    if (Option.isNone(answer)) {
      return yield* new UsageError({ problem: "cannot ask for confirmation without a terminal; add --yes", hint })
    }
    if (!answer.value) yield* writeLines([[StyledLine.raw("nothing was removed")]])
    return answer.value
  })
