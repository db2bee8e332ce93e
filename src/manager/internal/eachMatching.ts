/**
 * Acts on all runs that match a query, page by page from the newest on, and reports after each page how far it has come.
 */
import { Array, Chunk, Effect, Option, Stream } from "effect"
import { type ShuttingDown, StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import * as race from "../../internal/race.js"
import * as Page from "../../store/rules/Page.js"
import type { Core } from "./Core.js"

/** How many runs are acted on together. */
const slice = 200

type Status = "completed" | "failed" | "cancelled"

export interface Matching {
  readonly status?: Status | undefined
  readonly labels?: { readonly [name: string]: string } | undefined
  readonly q?: string | undefined
  readonly before?: JobId | undefined
}

/** How far it has come: `problem` is why the first run was refused, `last` the oldest run that was considered. */
export interface Progress {
  readonly done: number
  readonly refused: number
  readonly problem?: string
  readonly last: JobId
}

const isEmpty = ({ labels = {}, q = "", status }: Matching): boolean =>
  status === undefined && Object.keys(labels).length === 0 && q.trim() === ""

/**
 * Acts on the runs of these statuses that match and that no run retries. A query that matches all runs is refused: an unset variable in a
 * command must not mean every job.
 */
export const eachMatching = <Config>(
  { kind, shutdown, store }: Pick<Core<Config>, "kind" | "shutdown" | "store">,
  { before: first, labels, q, status }: Matching,
  {
    act,
    statuses,
    verb
  }: {
    readonly verb: string
    readonly statuses: ReadonlyArray<Status>
    /** Acts on the runs of a page, and returns why it refuses some of them. */
    readonly act: (runs: ReadonlyArray<Run>) => Effect.Effect<ReadonlyArray<Error>, StoreError | ShuttingDown>
  }
): Stream.Stream<Progress, StoreError | ShuttingDown> => {
  const pageOf = (before: JobId | undefined) =>
    Effect.map(
      Effect.forEach(status === undefined ? statuses : [status], (status) =>
        store.page({
          kind,
          status,
          retried: false,
          limit: slice,
          ...(labels && { labels }),
          ...(q !== undefined && { q }),
          ...(before && { before })
        })
      ),
      Page.merged(slice)
    )

  const pages = Stream.paginateChunkEffect<Partial<Progress>, Progress, StoreError | ShuttingDown, never>(
    { ...(first && { last: first }) },
    ({ done = 0, last: before, problem, refused = 0 }) =>
      Effect.gen(function* () {
        yield* shutdown.refuse
        const { next, runs } = yield* pageOf(before)
        const refusals = yield* act(runs)
        const last = Option.getOrElse(next, () => runs.at(-1)?.id)
        if (last === undefined) return [Chunk.empty(), Option.none()] as const
        const why = problem ?? refusals[0]?.message
        const progress = {
          done: done + runs.length - refusals.length,
          refused: refused + refusals.length,
          last,
          ...(why !== undefined && { problem: why })
        }
        return [Chunk.of(progress), Option.as(next, progress)] as const
      })
  )
  return isEmpty({ labels, q, status })
    ? Stream.fail(
        new StoreError({
          operation: `${verb} jobs`,
          reason: "invalid",
          cause: new Error(`it is not said which jobs to ${verb}: give a status, labels or a text to search for`)
        })
      )
    : Stream.concat(Stream.execute(store.outsideTransaction), pages)
}

/** Acts on these runs, so many at the same time, and returns the errors of those that are refused. */
export const refusals = <E>(
  runs: ReadonlyArray<Run>,
  refusalOf: (run: Run) => Effect.Effect<Option.Option<Error>, E>,
  concurrency = slice
): Effect.Effect<ReadonlyArray<Error>, E> => Effect.map(race.map(runs, concurrency, refusalOf), Array.getSomes)
