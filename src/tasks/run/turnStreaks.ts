/**
 * What turns of an agent in a row mean that ended without a verdict on the work: how long their task pauses, its unit waits, and
 * whether the agent counts as unavailable for all jobs.
 */
import { createHash } from "node:crypto"
import { DateTime, Duration } from "effect"
import { AgentLimit } from "../../domain/AgentLimit.js"
import { TurnStreak } from "../../domain/TurnStreak.js"
import * as plainText from "../../internal/plainText.js"
import { wording } from "../agents/answered.js"
import type { TurnEnd } from "../agents/TurnEnd.js"

/** So many unanswered turns in a row, and the unit waits. */
const most = 3

/** So many turns in a row without reaching the service, with pauses of 5 minutes in all, and it counts as an outage. */
const mostUnreachable = 7

/** So many turns in a row that broke off after the model had answered are one attempt: the task itself may be the cause. */
const mostBrokenOff = 5

export const outagePause = Duration.minutes(15)

/** How long to wait after so many refusals without a reset time. */
export const refusalPause = (refusals: number): Duration.Duration =>
  Duration.min(Duration.times(Duration.minutes(5), 2 ** (refusals - 1)), Duration.hours(1))

/** The kind of streak that a turn belongs to, if it ended without a verdict. */
export const kindOf = ({ answered, class: name }: TurnEnd): TurnStreak["kind"] | undefined => {
  if (name === "unanswered") return "unanswered"
  if (name !== "network") return undefined
  return answered === true ? "brokenOff" : "unreachable"
}

export const limitKinds = { unanswered: "unanswered", unreachable: "outage", brokenOff: undefined } as const

/** The streak of a task after another turn. */
export const next = (
  own: TurnStreak | undefined,
  turn: Pick<TurnStreak, "jobId" | "agent" | "unit" | "task" | "kind" | "at">,
  message: string
): TurnStreak => {
  const reason = plainText.line(message).slice(0, 300)
  return new TurnStreak(
    {
      ...turn,
      turns: own?.kind === turn.kind ? own.turns + 1 : 1,
      wording: createHash("sha256").update(wording(reason)).digest("hex"),
      reason,
      answeredSince: false
    },
    { disableValidation: true }
  )
}

const isUnanswered = ({ kind, turns }: TurnStreak) => kind === "unanswered" && turns >= most

/** Whether the unit waits: its turns were unanswered, and none of the agent was answered since. */
export const isStopped = (streak: TurnStreak): boolean => isUnanswered(streak) && !streak.answeredSince

/** Whether the cause is the task, since the agent answers others: from now on, its unanswered turns are attempts. */
export const isAlone = (streak: TurnStreak): boolean => isUnanswered(streak) && streak.answeredSince

/** Whether the last of so many turns is an attempt. */
export const isAttempt = ({ kind, turns }: TurnStreak): boolean => kind === "brokenOff" && turns >= mostBrokenOff

/** When the unit of a stopped streak goes on. */
export const until = ({ at, turns }: TurnStreak): DateTime.Utc =>
  DateTime.addDuration(at, refusalPause(turns - most + 1))

/** The pause before the next turn at the task. */
export const pause = ({ kind, turns }: TurnStreak): Duration.Duration =>
  Duration.times(Duration.seconds(kind === "unanswered" ? 1 : 5), 2 ** (turns - 1))

/** Whether a streak shows that the agent is unavailable, whatever the task. */
export const isOfAgent = (streak: TurnStreak, all: ReadonlyArray<TurnStreak>): boolean =>
  streak.kind === "unreachable"
    ? streak.turns >= mostUnreachable
    : isStopped(streak) && all.some((other) => isStopped(other) && isAlike(streak, other))

const isAlike = (one: TurnStreak, other: TurnStreak) =>
  one.wording === other.wording && (one.jobId !== other.jobId || one.unit !== other.unit)

/** The limit of an agent that is unavailable for a reason that it does not say, also after a probe of such a limit. */
export const limitAfter = ({ agent, at, kind, reason }: TurnStreak, before: AgentLimit | undefined): AgentLimit => {
  const isOutage = kind === "unreachable"
  const refusals = (before?.refusals ?? 0) + 1
  const pause = isOutage ? outagePause : refusalPause(refusals)
  return new AgentLimit(
    {
      agent,
      kind: isOutage ? "outage" : "unanswered",
      reason,
      since: before?.since ?? at,
      until: DateTime.addDuration(at, pause),
      refusals
    },
    { disableValidation: true }
  )
}

const wasRefused = ({ answeredSince, kind, turns }: TurnStreak) => kind === "unanswered" && turns > 0 && !answeredSince

/**
 * The limit as it applies to a task. Of units whose turns were not answered, the last goes last, so that the probe is a turn of
 * another unit, if there is one.
 */
export const limitFor = (
  limit: AgentLimit,
  own: TurnStreak | undefined,
  all: ReadonlyArray<TurnStreak>
): AgentLimit => {
  if (limit.kind !== "unanswered" || own === undefined || !wasRefused(own)) return limit
  const before = all.filter((other) => wasRefused(other) && DateTime.lessThan(other.at, own.at)).length
  const later = Duration.seconds(Math.min(60, 5 * (before + 1)))
  return new AgentLimit({ ...limit, until: DateTime.addDuration(limit.until, later) }, { disableValidation: true })
}
