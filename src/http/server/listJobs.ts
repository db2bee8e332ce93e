/**
 * A page of jobs, as JSON that is bounded in bytes: a job carries its labels, configuration and result.
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Effect, Option, Schema } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { RunQuery, RunStore } from "../../store/RunStore.js"
import { ListedJob } from "../contract/Api.js"
import { shown } from "./IdempotentSubmit.js"

/** Characters of JSON. One job that has more makes a page of its own. */
const maxSize = 4 * 1024 * 1024

/** Runs that are read at once. */
const readAtOnce = 50

const encode = Schema.encodeSync(ListedJob)

/** Records come out of the store as they should be. */
const unchecked = { disableValidation: true }

export const listJobs = (options: {
  readonly store: RunStore["Type"]
  readonly phaseOf: (id: JobId) => Effect.Effect<ListedJob["phase"]>
  readonly query: RunQuery & { readonly limit: number }
}): Effect.Effect<HttpServerResponse.HttpServerResponse, StoreError> => {
  const { phaseOf, query, store } = options

  const answer = (jobs: ReadonlyArray<string>, next: JobId | undefined) => {
    const rest = next === undefined ? "" : `,"next":${JSON.stringify(next)}`
    return HttpServerResponse.text(`{"jobs":[${jobs.join(",")}]${rest}}`, { contentType: "application/json" })
  }

  return Effect.gen(function* () {
    const jobs: Array<string> = []
    let size = 0
    let last = query.before
    for (;;) {
      const limit = Math.min(readAtOnce, query.limit - jobs.length)
      const { next, runs } = yield* store.page({ ...query, limit, ...(last && { before: last }) })
      const counts = yield* store.work.counts(runs.map(({ id }) => id))
      for (const run of runs) {
        const phase = yield* phaseOf(run.id)
        const job = JSON.stringify(
          encode(new ListedJob({ ...shown(run), phase, progress: counts.get(run.id) }, unchecked))
        )
        if (jobs.length > 0 && size + job.length > maxSize) return answer(jobs, last)
        jobs.push(job)
        size += job.length
        last = run.id
      }
      // A page of several labels may be short, and even empty, and have another after it.
      if (Option.isNone(next) || jobs.length >= query.limit || runs.length < limit) {
        return answer(jobs, Option.getOrUndefined(next))
      }
    }
  })
}
