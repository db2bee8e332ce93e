/**
 * `charlotte jobs`: the jobs there are, newest first.
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Chunk, DateTime, Effect, Option, Schema, Stream } from "effect"
import * as Home from "../../daemon/Home.js"
import { RunStatus } from "../../domain/RunStatus.js"
import { JobPage, type ListedJob } from "../../http/Api.js"
import type { JobQuery } from "../../http/JobClient.js"
import * as JobName from "../JobName.js"
import * as Jobs from "../Jobs.js"
import * as JobTable from "../JobTable.js"
import * as Line from "../Line.js"
import { Output, writeLines } from "../Output.js"
import { about, json, labels, number } from "./parameters.js"

const status = Options.choice("status", RunStatus.literals).pipe(
  Options.optional,
  Options.withDescription("Only jobs of this status.")
)

const limit = number("limit", "As many as are shown at the most; else 20.")

const before = Options.text("before").pipe(
  Options.withPseudoName("JOB"),
  Options.optional,
  Options.withDescription("Only jobs older than this one: the next page.")
)

export const jobs = Command.make("jobs", { status, labels, limit, before, json }, ({ before, json, ...given }) =>
  Effect.gen(function* () {
    const reach = yield* Jobs.read
    const page = yield* collect(reach, {
      labels: given.labels,
      limit: Option.getOrElse(given.limit, () => 20),
      ...(Option.isSome(given.status) && { status: given.status.value }),
      ...(Option.isSome(before) && {
        before: yield* Effect.flatMap(JobName.parse(before.value), (name) => JobName.find(reach, name))
      })
    })
    yield* json
      ? Effect.flatMap(Output, ({ write }) => write(`${JSON.stringify(encode(page))}\n`))
      : show(page, Option.isSome(given.status) || Object.keys(given.labels).length > 0)
  }).pipe(Effect.provide(Home.layerUntouched), Effect.scoped)
).pipe(
  Command.withDescription(
    about("Lists the jobs, newest first.", "charlotte jobs --status running --label team=web --limit 50")
  )
)

const encode = Schema.encodeSync(JobPage)

/** The most that are given at once. */
const pageSize = 1_000

/** As many as are wanted, in as many pages as that takes. */
const collect = ({ list }: Jobs.Jobs, query: JobQuery & { readonly limit: number }) => {
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

const show = ({ jobs, next }: JobPage, isFiltered: boolean) =>
  Effect.gen(function* () {
    const { error, isTerminal, size } = yield* Output
    if (jobs.length === 0) {
      const hint = isFiltered ? "no job is like that" : "there is no job yet; start one with: charlotte run TASKSDIR"
      return yield* isTerminal ? writeLines([[Line.raw(hint)]]) : error(`${hint}\n`)
    }
    yield* writeLines(JobTable.lines(jobs, yield* DateTime.now, isTerminal ? (yield* size).columns : Infinity))
    if (next === undefined) return
    const more = `there are more: add --before ${next}`
    yield* isTerminal ? writeLines([[Line.raw(more, "faint")]]) : error(`${more}\n`)
  })
