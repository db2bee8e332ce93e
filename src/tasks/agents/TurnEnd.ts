/**
 * How a turn of an agent ended, and what that means for its task.
 *
 * The class of a failed turn is read from the record with which the agent itself reports the failure, never from its prose, from
 * the output of its tools, or from a turn that succeeded: the task itself may be about such messages. An unknown message is a plain
 * failure, unless it prints when a limit resets.
 */
import { Array, DateTime, Duration, Option } from "effect"
import type { TurnClass } from "../events.js"
import type { ProcessOutcome } from "../../process/ProcessOutcome.js"
import * as answered from "./answered.js"
import * as claudeResult from "./claudeResult.js"
import * as codexResult from "./codexResult.js"
import { classOf, type FailureReport, retryAfter } from "./FailureReport.js"
import * as PrintedReset from "./PrintedReset.js"
import * as Profile from "./Profile.js"

export interface TurnEnd {
  readonly class: TurnClass
  /** The agent's own message, if it reported the failure. */
  readonly message?: string
  /** When the limit resets, if the agent reports it. */
  readonly resetsAt?: DateTime.Utc
  /** The session that the turn was to resume cannot go on, so that the agent did no work. */
  readonly isSessionLost?: boolean
  /** The prompt is too long for the model, which has not answered: in any session, so would be the next. */
  readonly isTooLong?: boolean
  /** Whether the model has answered; missing if the output does not show it. */
  readonly answered?: boolean
}

export interface Turn extends answered.Output {
  readonly outcome: ProcessOutcome
  /** How long it took. */
  readonly took: Duration.Duration
  /** Of its agent's profile. */
  readonly limits?: ReadonlyArray<Profile.LimitPattern> | undefined
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
  // After an answer, what the model read and wrote since has filled the session: another one has room.
  if (end.isTooLong === true) return { ...end, isTooLong: !isAnswered, answered: isAnswered }
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
      const { class: known, message } = report
      const resetsAt = resetOf(report, here)
      // A message that prints a reset is that of a limit, in whatever words.
      const name = known ?? (Option.isSome(resetsAt) ? "usageLimit" : "failed")
      if (name === "failed") return { class: "failed" }
      if (name === "tooLong") return { class: "failed", message, isTooLong: true }
      return { class: name, message, ...(Option.isSome(resetsAt) && { resetsAt: resetsAt.value }) }
    }
  })

/** Longer texts are more than the message of a refusal. */
const longestText = 4_000

/** By the patterns of the agent's own profile. */
const reportByProfile = (turn: Turn): Option.Option<FailureReport> => {
  const { format, limits = [], tail } = turn
  const text = format === "text" ? tail : answered.message(turn)
  return Array.findFirst(limits, ({ class: name, pattern }) =>
    Option.map(
      Option.flatMapNullable(Profile.compiled(pattern), (pattern) => pattern.exec(text ?? "")),
      (match) => ({
        class: name,
        message: (format === "text" ? match[0] : (text ?? "")).trim(),
        printed: match.groups?.["reset"]
      })
    )
  )
}

const report = (turn: Turn): Option.Option<FailureReport> =>
  Option.orElse(reportByProfile(turn), () => reportByOutput(turn))

const reportByOutput = ({ format, size, tail }: Turn): Option.Option<FailureReport> => {
  switch (format) {
    case undefined:
      return Option.none()
    case "claude-stream-json":
      return claudeResult.read(lines(tail))
    case "codex-json":
      return codexResult.read(lines(tail))
    case "text": {
      // A refused agent prints nothing else. After other output, the line may come from a tool.
      const text = tail.trim()
      const isMessage = text.length <= longestText && (!text.includes("\n") || /^\[[^]*\]$/.test(text))
      if (Buffer.byteLength(tail) !== size || !isMessage) return Option.none()
      const ofText = () => ({ class: classOf(text, []), message: text, reset: retryAfter(text) })
      return Option.orElseSome(claudeResult.limitLine(text), ofText)
    }
  }
}

const lines = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line.startsWith("{"))

/** No limit lasts longer than a week, and no budget longer than a month: a later time means a wrong unit or a wrong clock. */
const longest = { usageLimit: Duration.days(8), funds: Duration.days(35) }

/** When a limit resets: by the agent's records, or else by its message. A reset in the past, or too far away, counts as unknown. */
const resetOf = (
  { class: name, message, printed: alone, reset }: FailureReport,
  here: PrintedReset.Here
): Option.Option<DateTime.Utc> => {
  if (name !== undefined && name !== "usageLimit" && name !== "funds") return Option.none()
  const latest = DateTime.addDuration(here.now, longest[name ?? "usageLimit"])
  const plausible = (at: Option.Option<DateTime.Utc>) =>
    Option.filter(at, (at) => DateTime.greaterThan(at, here.now) && DateTime.lessThanOrEqualTo(at, latest))
  const printed = plausible(
    alone === undefined ? PrintedReset.read(message, here) : PrintedReset.readAlone(alone.trim(), here)
  )
  const found = name === undefined ? printed : Option.orElse(plausible(recorded(reset, here.now)), () => printed)
  return Option.map(found, toWholeMillis)
}

/** Records have whole milliseconds; a service may state fractions of one. */
const toWholeMillis = (at: DateTime.Utc): DateTime.Utc => DateTime.unsafeMake(Math.ceil(DateTime.toEpochMillis(at)))

const recorded = (reset: FailureReport["reset"], now: DateTime.Utc): Option.Option<DateTime.Utc> => {
  if (reset === undefined) return Option.none()
  const at = "at" in reset ? reset.at * 1_000 : DateTime.toEpochMillis(now) + reset.in * 1_000
  return Option.map(DateTime.make(at), DateTime.toUtc)
}
