/**
 * How a turn of an agent ended, and what that means for its task.
 *
 * The class of a failed turn is read from the record with which the agent itself reports the failure, never from its prose, from
 * the output of its tools, or from a turn that succeeded: the task itself may be about such messages. An unknown message is a plain
 * failure.
 */
import { DateTime, Duration, Option } from "effect"
import type { TurnClass } from "../events.js"
import type { ProcessOutcome } from "../../process/ProcessOutcome.js"
import * as answered from "./answered.js"
import * as claudeResult from "./claudeResult.js"
import * as codexResult from "./codexResult.js"
import type { FailureReport } from "./FailureReport.js"
import * as PrintedReset from "./PrintedReset.js"

export interface TurnEnd {
  readonly class: TurnClass
  /** The agent's own message, if it reported the failure. */
  readonly message?: string
  /** When the limit resets, if the agent reports it. */
  readonly resetsAt?: DateTime.Utc
  /** The session that the turn was to resume cannot go on, so that the agent did no work. */
  readonly isSessionLost?: boolean
  /** Whether the model has answered; missing if the output does not show it. */
  readonly answered?: boolean
}

export interface Turn extends answered.Output {
  readonly outcome: ProcessOutcome
  /** How long it took. */
  readonly took: Duration.Duration
}

/** The size of `tail` in bytes: enough for the report of an agent, which can be long. */
export const tailSize = 256 * 1024

/** Whether the agent did no work in the turn, which then does not count. */
export const isRefused = ({ class: name, isSessionLost = false }: TurnEnd): boolean =>
  isSessionLost ||
  name === "usageLimit" ||
  name === "funds" ||
  name === "auth" ||
  name === "account" ||
  name === "network" ||
  name === "unanswered"

/** A model that is at work for longer has answered, even if the output does not show it yet. */
const longestUnanswered = Duration.minutes(5)

export const read = (turn: Turn, here: PrintedReset.Here): TurnEnd => {
  const end = ofClass(turn, here)
  if (end.class === "done") return { ...end, answered: true }
  const isAnswered = answered.read(turn)
  if (isAnswered === undefined) return end
  const isUnanswered = !isAnswered && isByItself(end, turn) && Duration.lessThanOrEqualTo(turn.took, longestUnanswered)
  if (!isUnanswered) return { ...end, answered: isAnswered }
  const message = answered.message(turn)
  return { class: "unanswered", answered: false, ...(message !== undefined && { message }) }
}

/** Signals that a process raises by itself, when it crashes. */
const crashes = new Set(["SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP"])

const isByItself = ({ class: name }: TurnEnd, { outcome }: Turn): boolean =>
  name === "failed" || (outcome._tag === "Signalled" && crashes.has(outcome.signal))

const ofClass = (turn: Turn, here: PrintedReset.Here): TurnEnd => {
  switch (turn.outcome._tag) {
    case "Exited":
      return turn.outcome.code === 0 ? { class: "done" } : reported(turn, here)
    case "Signalled":
      return { class: "gone" }
    case "TimedOut":
      return { class: "timedOut" }
    case "SilentTooLong":
      return { class: "stalled" }
    case "CouldNotStart":
      return { class: "failed" }
  }
}

const reported = (turn: Turn, here: PrintedReset.Here): TurnEnd =>
  Option.match(report(turn), {
    onNone: () => ({ class: "failed" }),
    onSome: (report) => {
      const { class: name, message } = report
      const resetsAt = resetOf(report, here)
      return { class: name, message, ...(Option.isSome(resetsAt) && { resetsAt: resetsAt.value }) }
    }
  })

const report = ({ format, size, tail }: Turn): Option.Option<FailureReport> => {
  switch (format) {
    case undefined:
      return Option.none()
    case "claude-stream-json":
      return claudeResult.read(lines(tail))
    case "codex-json":
      return codexResult.read(lines(tail))
    case "text":
      // A refused agent prints nothing else. After other output, the line may come from a tool.
      return Buffer.byteLength(tail) === size ? claudeResult.limitLine(tail.trim()) : Option.none()
  }
}

const lines = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line.startsWith("{"))

/** No limit lasts longer than a week, and no budget longer than a month: a later time means a wrong unit or a wrong clock. */
const longest = { usageLimit: Duration.days(8), funds: Duration.days(35) }

/** When a limit resets: by the agent's records, or else by its message. A reset in the past, or too far away, counts as unknown. */
const resetOf = (
  { class: name, message, reset }: FailureReport,
  here: PrintedReset.Here
): Option.Option<DateTime.Utc> => {
  if (name !== "usageLimit" && name !== "funds") return Option.none()
  const latest = DateTime.addDuration(here.now, longest[name])
  const plausible = (at: Option.Option<DateTime.Utc>) =>
    Option.filter(at, (at) => DateTime.greaterThan(at, here.now) && DateTime.lessThanOrEqualTo(at, latest))
  return Option.orElse(plausible(recorded(reset, here.now)), () => plausible(PrintedReset.read(message, here)))
}

const recorded = (reset: FailureReport["reset"], now: DateTime.Utc): Option.Option<DateTime.Utc> => {
  if (reset === undefined) return Option.none()
  const at = "at" in reset ? reset.at * 1_000 : DateTime.toEpochMillis(now) + reset.in * 1_000
  return Option.map(DateTime.make(at), DateTime.toUtc)
}
