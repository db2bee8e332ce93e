/**
 * `charlotte summary`: what needs a person, and what has happened.
 */
import { DateTime, type Duration, Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { jobName } from "../../progress/jobName.js"
import * as remedy from "../../progress/remedy.js"
import * as spent from "../../progress/spent.js"
import * as repositoryAround from "../start/repositoryAround.js"
import * as StartTime from "../start/StartTime.js"
import * as JobSource from "../target/JobSource.js"
import * as format from "../terminal/format.js"
import { Output, writeLines } from "../terminal/Output.js"
import { timeZone } from "../terminal/timeZone.js"
import * as Morning from "./Morning.js"
import * as render from "./render.js"

/** How long ago, or when. */
export type Since = Duration.Duration | StartTime.StartTime

export interface Options {
  readonly since: Option.Option<Since>
  /** Whether it is about the jobs of other repositories, too. */
  readonly all: boolean
  readonly json: boolean
}

const day = "24 hours"

const sinceOf = (given: Option.Option<Since>) =>
  Effect.gen(function* () {
    const now = yield* DateTime.now
    if (Option.isNone(given)) return DateTime.subtractDuration(now, day)
    if (!("_tag" in given.value)) return DateTime.subtractDuration(now, given.value)
    const at = yield* StartTime.resolve(given.value)
    // A time of day is the last such time.
    return DateTime.greaterThan(at, now) ? DateTime.subtract(at, { days: 1 }) : at
  })

export const summary = ({ all, json, since: given }: Options) =>
  Effect.gen(function* () {
    const { write } = yield* Output
    const isHere = all ? undefined : yield* repositoryAround.isHere
    const since = yield* sinceOf(given)
    const jobs = yield* JobSource.read
    const found = yield* Morning.read(jobs, { since, isWanted: isHere ?? (() => true) })
    const morning = Option.getOrElse(found, () => Morning.nothing)
    yield* json ? write(`${JSON.stringify(encode(morning, since, yield* timeZone))}\n`) : show(morning, since)
  }).pipe(Effect.provide(Home.layerUntouched), Effect.scoped)

/** Shows the summary of the repository around, and returns whether there is one. */
export const ofRepository: Effect.Effect<
  boolean,
  never,
  Effect.Effect.Context<ReturnType<typeof summary>>
> = Effect.gen(function* () {
  const isHere = yield* repositoryAround.isHere
  if (isHere === undefined) return false
  const since = yield* sinceOf(Option.none())
  const found = yield* Effect.flatMap(JobSource.read, (jobs) => Morning.read(jobs, { since, isWanted: isHere }))
  if (Option.isSome(found)) yield* show(found.value, since)
  return Option.isSome(found)
}).pipe(
  Effect.provide(Home.layerUntouched),
  Effect.scoped,
  // The help can be shown whatever is wrong with the home.
  Effect.orElseSucceed(() => false)
)

const show = (morning: Morning.Morning, since: DateTime.DateTime) =>
  Effect.gen(function* () {
    const { isTerminal, size } = yield* Output
    const columns = isTerminal ? (yield* size).columns : Infinity
    yield* writeLines(render.lines(morning, { now: yield* DateTime.now, since, zone: yield* timeZone, columns }))
  })

const encode = (
  { completed, failed, gates, landedAs, needs, pending, running, spending, unlanded, waiting }: Morning.Morning,
  since: DateTime.DateTime,
  zone: DateTime.TimeZone
) => {
  const about = (job: (typeof needs)[number]) => ({
    id: job.id,
    name: jobName(job),
    status: job.status,
    cost: job.cost
  })
  return {
    since: DateTime.formatIso(since),
    needs: needs.map((job) => ({
      ...about(job),
      reason: remedy.reasonFor(job),
      command: remedy.commandFor(job),
      landedAs: landedAs.get(job.id),
      ...(unlanded.has(job.id) && { land: `charlotte land ${job.id}` })
    })),
    completed: completed.map((job) => {
      const known = gates.get(job.id) ?? []
      return {
        ...about(job),
        ...(known.length > 0 && { gates: known }),
        ...(unlanded.has(job.id) && { command: `charlotte land ${job.id}` })
      }
    }),
    failed: failed.map(({ job, retry }) => ({ ...about(job), reason: remedy.reasonFor(job), retriedBy: retry?.id })),
    waiting: waiting.map((job) => ({
      ...about(job),
      until: job.parked?.until && DateTime.formatIso(job.parked.until)
    })),
    running: running.map(about),
    pending: pending.map(about),
    cost: {
      days: spent.byDay(spending.ended, (at) => format.day(at, zone)),
      unfinished: spent.of(spending.unfinished),
      isPartial: spending.isPartial
    }
  }
}
