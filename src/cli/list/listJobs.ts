/**
 * Lists jobs as a table, or as JSON; pending ones in the order in which they will start.
 */
import { Chunk, DateTime, Effect, Option, Schema, Stream } from "effect"
import * as Home from "../../daemon/home/Home.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import { JobPage, type ListedJob } from "../../http/contract/Api.js"
import type { JobQuery } from "../../http/client/JobClient.js"
import * as costs from "../../progress/cost.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import * as JobTable from "./JobTable.js"
import * as repositoryAround from "../start/repositoryAround.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { columns, Output, writeJson, writeLines } from "../terminal/Output.js"

export interface Options {
  /** Whether to list the jobs of other repositories, too. */
  readonly all: boolean
  readonly kind: Option.Option<string>
  readonly status: Option.Option<RunStatus>
  readonly labels: ReadonlyArray<readonly [name: string, value: string]>
  readonly search: Option.Option<string>
  readonly retried: Option.Option<"yes" | "no">
  readonly limit: Option.Option<number>
  readonly before: Option.Option<string>
  /** Whether to show what each has cost. */
  readonly cost: boolean
  readonly json: boolean
}

export const list = ({ all, before, cost, json, ...given }: Options) =>
  Effect.gen(function* () {
    const reach = yield* JobSource.read
    const isHere = all || Option.isSome(given.kind) ? undefined : yield* repositoryAround.isHere
    const positions = Option.contains(given.status, "pending") ? yield* positionsIn(reach, given.kind) : Option.none()
    // The order of the queue cannot be combined with other filters.
    const isQueue =
      Option.isSome(positions) &&
      given.labels.length === 0 &&
      Option.isNone(given.search) &&
      Option.isNone(given.retried)
    const page = yield* (isHere === undefined ? collect : collectMatching(isHere))(reach, {
      ...(isQueue && { order: "queue" as const }),
      labels: Object.fromEntries(given.labels),
      limit: Option.getOrElse(given.limit, () => 20),
      ...(Option.isSome(given.kind) && { kind: given.kind.value }),
      ...(Option.isSome(given.status) && { status: given.status.value }),
      ...(Option.isSome(given.search) && { q: given.search.value }),
      ...(Option.isSome(given.retried) && { retried: given.retried.value === "yes" }),
      ...(Option.isSome(before) && {
        before: yield* Effect.flatMap(JobRef.parse(before.value), (ref) => JobRef.find(reach, ref))
      })
    })
    yield* json
      ? writeJson(encode(page))
      : show(page, hintOf(isHere !== undefined, isFiltered(given)), {
          positions: Option.getOrUndefined(positions),
          withCost: cost
        })
  }).pipe(Effect.provide(Home.layerUntouched), Effect.scoped)

/** How many pending jobs are numbered. */
const numbered = 1_000

/** The positions of the first pending jobs of a kind in its queue; none if several kinds are served, since each has its own queue. */
const positionsIn = (jobs: JobSource.Jobs, kind: Option.Option<string>) =>
  collect(jobs, {
    status: "pending",
    order: "queue",
    limit: numbered,
    ...(Option.isSome(kind) && { kind: kind.value })
  }).pipe(
    Effect.map(({ jobs }) => Option.some(new Map(jobs.map(({ id }, i) => [id, i + 1] as const)))),
    Effect.catchIf(
      (error) => error._tag === "StoreError" && error.reason === "invalid",
      () => Effect.succeedNone
    )
  )

const isFiltered = ({
  kind,
  labels,
  retried,
  search,
  status
}: Pick<Options, "kind" | "labels" | "retried" | "search" | "status">): boolean =>
  [kind, status, search, retried].some(Option.isSome) || labels.length > 0

const encode = Schema.encodeSync(JobPage)

/** The maximum page size of a server. */
const pageSize = 1_000

const matchingPageSize = 100

/** Reads as many pages as the limit requires. */
const collect = ({ list }: JobSource.Jobs, query: JobQuery & { readonly limit: number }) => {
  const { limit, ...others } = query
  const page = (before: JobQuery["before"], left: number) =>
    Effect.map(list({ ...others, ...(before && { before }), limit: Math.min(left, pageSize) }), ({ jobs, next }) => {
      const rest = left - jobs.length
      const isLast = next === undefined || rest === 0
      return [{ jobs, next }, isLast ? Option.none() : Option.some([next, rest] as const)] as const
    })
  return Stream.paginateEffect([query.before, limit] as const, ([before, left]) => page(before, left)).pipe(
    Stream.runCollect,
    Effect.map((pages) => {
      const jobs = Chunk.toReadonlyArray(pages).flatMap(({ jobs }): ReadonlyArray<ListedJob> => jobs)
      return new JobPage({ jobs, next: Chunk.unsafeLast(pages).next }, { disableValidation: true })
    })
  )
}

/** The same for matching jobs, which may be rare: reads pages until the limit is reached. */
const collectMatching =
  (isWanted: (job: ListedJob) => boolean) =>
  ({ list }: JobSource.Jobs, { limit, ...query }: JobQuery & { readonly limit: number }) =>
    Effect.gen(function* () {
      const found: Array<ListedJob> = []
      let before = query.before
      // One more than the limit shows that there are more.
      while (found.length <= limit) {
        const { jobs, next } = yield* list({ ...query, ...(before && { before }), limit: matchingPageSize })
        found.push(...jobs.filter(isWanted))
        before = next
        if (next === undefined) break
      }
      const jobs = found.slice(0, limit)
      const next = found.length > limit ? jobs.at(-1)?.id : undefined
      return new JobPage({ jobs, next }, { disableValidation: true })
    })

const hintOf = (isHere: boolean, isFiltered: boolean): string =>
  isFiltered
    ? `no matching jobs${isHere ? " in this repository; list all with: charlotte jobs --all" : ""}`
    : isHere
      ? JobRef.noneHere
      : "no jobs yet; start one with: charlotte run TASKSDIR"

const show = ({ jobs, next }: JobPage, hint: string, options: Parameters<typeof JobTable.lines>[3]) =>
  Effect.gen(function* () {
    const { error, isTerminal } = yield* Output
    if (jobs.length === 0) {
      return yield* isTerminal ? writeLines([[StyledLine.raw(hint)]]) : error(`${hint}\n`)
    }
    yield* writeLines(JobTable.lines(jobs, yield* DateTime.now, yield* columns, options))
    const remarks = [
      ...(options?.withCost === true && jobs.some(({ cost }) => cost?.usd !== undefined)
        ? [`cost: ${costs.basis}`]
        : []),
      ...(next === undefined ? [] : [`more jobs: add --before ${next}`])
    ]
    for (const remark of remarks)
      yield* isTerminal ? writeLines([[StyledLine.raw(remark, "faint")]]) : error(`${remark}\n`)
  })
