/**
 * Follows a job to its end: live on a terminal, as lines to a pipe, or as JSON; then prints the summary.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import { DateTime, Effect, Option, Schema, Stream } from "effect"
import { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import { activity, failing, failureOf } from "../../progress/activity.js"
import { applyEvent } from "../../progress/applyEvent.js"
import * as JobModel from "../../progress/JobModel.js"
import { number } from "../../progress/payload.js"
import type { Progress } from "../../progress/progressText.js"
import * as background from "../../internal/background.js"
import * as race from "../../internal/race.js"
import * as ExitCode from "../errors/ExitCode.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { columns, Output, type OutputClosed, writeJson, writeLines } from "../terminal/Output.js"
import * as settledLines from "./settledLines.js"
import * as plainLines from "./plainLines.js"
import * as LiveRegion from "../terminal/LiveRegion.js"
import * as Screen from "./Screen.js"
import * as Summary from "./Summary.js"
import * as SummaryText from "./SummaryText.js"
import * as logTail from "./logTail.js"
import { progressEvent } from "./progressEvent.js"
import { timeZone } from "../terminal/timeZone.js"

/** A job that was started or resumed. */
export interface Begun {
  readonly id: JobId
  /** The attempt that had ended when a person resumed it: what comes before the next one is not printed. */
  readonly resumed?: number | undefined
}

export interface Options<E1, R1, E2, R2> extends Pick<Begun, "resumed"> {
  /** All events of the job; ends with the job, or when no process runs it. */
  readonly events: Stream.Stream<JobEvent, E1, R1>
  /** The final record, read after the last event. */
  readonly end: Effect.Effect<Summary.Ended, E2, R2>
  /** Completes when the user has interrupted the job, while this process waits for its end. */
  readonly leaving?: Effect.Effect<void>
  /** Notices that are not events of the job. */
  readonly notices?: Stream.Stream<string>
  /** What a job without tasks has reported last. */
  readonly progress?: Effect.Effect<Progress | undefined, unknown>
  readonly json: boolean
}

/** Returns the exit code that mirrors the job. */
export const follow = <E1, R1, E2, R2>({
  end,
  events,
  json,
  leaving = Effect.never,
  notices = Stream.empty,
  progress = Effect.succeed(undefined),
  resumed
}: Options<E1, R1, E2, R2>): Effect.Effect<number, E1 | E2 | OutputClosed, R1 | R2 | FileSystem | Output> =>
  Effect.gen(function* () {
    const { error, isTerminal } = yield* Output
    const said = Stream.merge(notices, Stream.fromEffect(Effect.as(leaving, stopping)))
    if (!isTerminal || json) yield* background.fork(Stream.runForEach(said, (text) => error(`${text}\n`)))
    let latest: DateTime.Utc | undefined
    const seen = Stream.tap(events, ({ at }) => Effect.sync(() => void (latest = at)))
    const news = newsSince(resumed)
    const printed = Stream.filter(seen, news)
    yield* json ? asJson(printed) : isTerminal ? onScreen(seen, news, said, progress) : inLines(printed)
    const ended = yield* end
    const summary = Summary.of(ended, yield* DateTime.now, latest)
    yield* json ? writeJson({ summary }) : writeLines([StyledLine.empty, ...SummaryText.lines(summary, yield* columns)])
    return ExitCode.ofStatus[ended.run.status]
  }).pipe(Effect.scoped)

/** Whether an event is not history, from the one with which the next attempt begins. */
const newsSince = (resumed: number | undefined) => {
  let isNews = resumed === undefined
  return ({ payload, type }: JobEvent): boolean => {
    isNews ||= type === "job.resumed" && (number(payload, "attempt") ?? 0) > (resumed ?? 0)
    return isNews
  }
}

const stopping = "stopping; press Ctrl-C again to kill what is still running"

const encode = Schema.encodeSync(JobEvent)

const asJson = <E, R>(events: Stream.Stream<JobEvent, E, R>) =>
  Stream.runForEach(events, (event) => writeJson(encode(event)))

const inLines = <E, R>(events: Stream.Stream<JobEvent, E, R>) =>
  Effect.gen(function* () {
    const zone = yield* timeZone
    yield* Stream.runForEach(events, (event) => writeLines(Option.toArray(plainLines.line(event, zone))))
  })

const onScreen = <E, R>(
  events: Stream.Stream<JobEvent, E, R>,
  isNews: (event: JobEvent) => boolean,
  said: Stream.Stream<string>,
  readProgress: NonNullable<Options<never, never, never, never>["progress"]>
) =>
  Effect.gen(function* () {
    const { size } = yield* Output
    const zone = yield* timeZone
    const live = yield* LiveRegion.make
    yield* background.fork(Stream.runForEach(said, (text) => live.print([[StyledLine.piece(text, "warn")]])))
    const model = JobModel.make()
    let failed: JobModel.Span | undefined
    let tail: ReadonlyArray<string> = []
    let progress: Progress | undefined
    const latest = new Map<string, string>()
    // A job reports its progress without an event.
    const watchProgress = Effect.suspend(() =>
      model.units.size > 0 || model.status !== "running"
        ? Effect.void
        : Effect.ignore(Effect.map(readProgress, (found) => void (progress = found)))
    )
    const show = (event: JobEvent) =>
      Effect.gen(function* () {
        applyEvent(model, progressEvent(event))
        if (isNews(event)) {
          const ended = event.type === "unit.failed" ? model.units.get(event.unit ?? "") : undefined
          const { columns } = yield* size
          const output = yield* tailOf(ended && failureOf(model, ended))
          yield* live.print(settledLines.lines(event, { model, tail: output, columns: columns - 1, zone }))
        }
        const found = failing(model)?.span
        if (found !== failed) tail = yield* tailOf(found)
        failed = found
        yield* live.show((size, now) => Screen.render(model, { size, now, tail, latest, progress }))
      })
    const read = Effect.zipRight(readLatest(model, latest), watchProgress)
    yield* background.fork(Effect.forever(Effect.zipRight(Effect.sleep(readPause), read)))
    yield* race.first<void, E | OutputClosed, R | FileSystem>([Stream.runForEach(events, show), live.run])
  }).pipe(Effect.scoped)

/** Between two reads of the logs of agents, and of what the job has reported. */
const readPause = "1 second"

/** Reads what the agents of running units have done last. */
const readLatest = (model: JobModel.JobModel, latest: Map<string, string>) =>
  Effect.forEach(
    [...model.units.values()],
    (unit) =>
      Effect.gen(function* () {
        const span = unit.state === "running" ? activity(unit).span : undefined
        if (span?.kind !== "agent" || span.log === undefined) return void latest.delete(unit.id)
        const text = yield* logTail.latest(span.log)
        // The last records may be longer than what is read.
        if (text !== undefined) latest.set(unit.id, text)
      }),
    { discard: true }
  )

const tailOf = (failed: JobModel.Span | undefined) =>
  failed?.log === undefined ? Effect.succeed([]) : logTail.read(failed.log, Screen.maxTail)
