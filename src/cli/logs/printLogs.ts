/**
 * `charlotte logs`: prints the output of agents and gates.
 */
import { Effect, Option, Stream } from "effect"
import { join } from "node:path"
import * as Home from "../../daemon/home/Home.js"
import type { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import type { Type } from "../../progress/vocabulary.js"
import { LogNotFound } from "../../http/contract/errors.js"
import * as JobRef from "../target/JobRef.js"
import { UsageError } from "../parser/UsageError.js"
import * as JobSource from "../target/JobSource.js"
import type * as LogFile from "./LogFile.js"
import * as LogSource from "./LogSource.js"
import * as Printer from "./Printer.js"
import * as tail from "./tail.js"

export interface Options {
  readonly job: string
  readonly unit: Option.Option<string>
  readonly task: Option.Option<number>
  readonly attempt: Option.Option<number>
  readonly agent: boolean
  readonly gate: boolean
  readonly follow: boolean
  readonly text: boolean
  readonly raw: boolean
  readonly tail: Option.Option<number>
  readonly grep: Option.Option<string>
  readonly json: boolean
}

export const printLogs = ({ follow, json, ...given }: Options) =>
  Effect.gen(function* () {
    if (given.raw && given.text) return yield* refused("--raw and --text exclude each other")
    if (json && (given.raw || given.text || Option.isSome(given.tail) || Option.isSome(given.grep)))
      return yield* refused("--json prints all output as it is, without --text, --raw, --tail and --grep")
    const jobs = yield* JobSource.read
    const { id, status } = yield* Effect.flatMap(JobRef.find(jobs, given.job), jobs.get)
    const isFollowing = follow && status === "running"
    const over = end(jobs.events(id), selection(given))
    const options = { ...given, id, json, isFollowing, wanted: selection(given), over }
    const server = yield* JobSource.logServer
    if (Option.isSome(server)) return yield* print(LogSource.ofServer(server.value, id), options)
    const { logs } = yield* Home.Home
    yield* print(LogSource.ofDirectory(join(logs, id)), options)
  }).pipe(Effect.provide(Home.layerUntouched), Effect.scoped)

const refused = (problem: string) => new UsageError({ problem, hint: "see: charlotte logs --help" })

const print = <E, R, E2>(
  source: LogSource.LogSource<E, R>,
  {
    id,
    isFollowing,
    over,
    wanted,
    ...how
  }: Pick<Options, "grep" | "json" | "raw" | "tail" | "text"> & {
    readonly id: JobId
    readonly isFollowing: boolean
    readonly wanted: LogFile.Selection
    readonly over: Effect.Effect<void, E2>
  }
) =>
  Effect.gen(function* () {
    const found = yield* source.list(wanted)
    if (found.length === 0 && !isFollowing) return yield* new LogNotFound({ jobId: id, log: describe(wanted) })
    const printer = yield* Printer.make({ ...how, titles: isFollowing || found.length > 1 })
    const options = { source, wanted, printer }
    yield* isFollowing ? tail.follow(options, over) : tail.all(options)
  })

const selection = (given: Pick<Options, "agent" | "attempt" | "gate" | "task" | "unit">): LogFile.Selection => ({
  unit: Option.getOrUndefined(given.unit),
  task: Option.getOrUndefined(given.task),
  attempt: Option.getOrUndefined(given.attempt),
  what: [...(given.agent ? ["agent"] : []), ...(given.gate ? ["gate"] : [])]
})

/** Describes the selection, as the end of a sentence. */
const describe = ({ attempt, task, unit, what }: LogFile.Selection): string =>
  [
    ...(what.length === 1 ? [`the ${what[0]}`] : []),
    ...(attempt === undefined ? [] : [`attempt ${attempt}`]),
    ...(task === undefined ? [] : [`task ${task}`]),
    ...(unit === undefined ? [] : [`unit ${unit}`])
  ].join(" of ") || "any kind yet"

/** A unit prints nothing after one of these. */
const ends: ReadonlySet<string> = new Set<Type>(["unit.merged", "unit.failed", "unit.blocked"])

const end = <E>(events: Stream.Stream<JobEvent, E>, wanted: LogFile.Selection): Effect.Effect<void, E> =>
  events.pipe(
    Stream.takeUntil(
      ({ task, type, unit }) =>
        unit !== undefined &&
        unit === wanted.unit &&
        (ends.has(type) || (task === wanted.task && (type === "task.completed" || type === "task.failed")))
    ),
    Stream.runDrain
  )
