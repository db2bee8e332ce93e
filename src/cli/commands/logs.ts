/**
 * `charlotte logs`: what agents and gates have printed.
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Path } from "@effect/platform/Path"
import { Effect, Option, Stream } from "effect"
import * as Home from "../../daemon/Home.js"
import type { JobEvent } from "../../domain/JobEvent.js"
import { LogNotFound } from "../../http/contract/errors.js"
import * as JobRef from "../JobRef.js"
import * as JobSource from "../JobSource.js"
import * as LogFile from "../logs/LogFile.js"
import * as Printer from "../logs/Printer.js"
import * as tail from "../logs/tail.js"
import { about, job, json, number } from "./parameters.js"

const unit = Options.text("unit").pipe(
  Options.withPseudoName("UNIT"),
  Options.optional,
  Options.withDescription("Only of this unit.")
)

const task = number("task", "Only of the task of this number.")

const agent = Options.boolean("agent").pipe(Options.withDescription("Only what agents have printed."))

const gate = Options.boolean("gate").pipe(Options.withDescription("Only what gates have printed."))

const follow = Options.boolean("follow").pipe(
  Options.withAlias("f"),
  Options.withDescription("Goes on with what is printed from now on, until the job is over.")
)

export const logs = Command.make("logs", { job, unit, task, agent, gate, follow, json }, ({ follow, json, ...given }) =>
  Effect.gen(function* () {
    const { logs } = yield* Home.Home
    const path = yield* Path
    const jobs = yield* JobSource.read
    const { id, status } = yield* Effect.flatMap(JobRef.find(jobs, given.job), jobs.get)
    const directory = path.join(logs, id)
    const wanted = selection(given)
    const found = yield* LogFile.list(directory, wanted)
    const goesOn = follow && status === "running"
    if (found.length === 0 && !goesOn) return yield* new LogNotFound({ jobId: id, log: inWords(wanted) })
    const printer = yield* Printer.make({ json, titles: goesOn || found.length > 1 })
    const options = { directory, wanted, printer }
    yield* goesOn ? tail.follow(options, end(jobs.events(id), wanted)) : tail.all(options)
  }).pipe(Effect.provide(Home.layerUntouched), Effect.scoped)
).pipe(
  Command.withDescription(
    about(
      "Shows what agents and gates have printed. Into a pipe it goes as it is; on a terminal, nothing in it is obeyed.",
      "charlotte logs latest --unit parser --task 2 --gate"
    )
  )
)

const selection = (given: {
  readonly unit: Option.Option<string>
  readonly task: Option.Option<number>
  readonly agent: boolean
  readonly gate: boolean
}): LogFile.Selection => ({
  unit: Option.getOrUndefined(given.unit),
  task: Option.getOrUndefined(given.task),
  what: [...(given.agent ? ["agent"] : []), ...(given.gate ? ["gate"] : [])]
})

/** As the end of a sentence. */
const inWords = ({ task, unit, what }: LogFile.Selection): string =>
  [
    ...(what.length === 1 ? [`the ${what[0]}`] : []),
    ...(task === undefined ? [] : [`task ${task}`]),
    ...(unit === undefined ? [] : [`unit ${unit}`])
  ].join(" of ") || "anything yet"

/** What comes after one of these is not wanted. */
const ends: ReadonlyArray<string> = ["unit.merged", "unit.failed", "unit.blocked"]

const end = <E>(events: Stream.Stream<JobEvent, E>, wanted: LogFile.Selection): Effect.Effect<void, E> =>
  events.pipe(
    Stream.takeUntil(
      ({ task, type, unit }) =>
        unit !== undefined &&
        unit === wanted.unit &&
        (ends.includes(type) || (task === wanted.task && (type === "task.completed" || type === "task.failed")))
    ),
    Stream.runDrain
  )
