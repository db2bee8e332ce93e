/**
 * The record of a schedule: when jobs of a kind are started by themselves.
 *
 * @since 0.2.0
 */
import { DateTime, Either, Option, Schema } from "effect"
import * as CronTicks from "./CronTicks.js"
import { JobId } from "./JobId.js"

/**
 * The last tick of a schedule that has started no job.
 *
 * @since 0.2.0
 * @category models
 */
export class SkippedTick extends Schema.Class<SkippedTick>("charlotte/SkippedTick")({
  tick: Schema.DateTimeUtc,
  reason: Schema.String
}) {}

/**
 * A clock was ahead when the last tick was recorded, so that ticks count again from an earlier time on.
 *
 * @since 0.2.0
 * @category models
 */
export class ScheduleReset extends Schema.Class<ScheduleReset>("charlotte/ScheduleReset")({
  at: Schema.DateTimeUtc,
  /** The last tick until then. */
  from: Schema.DateTimeUtc
}) {}

/**
 * The record of a schedule.
 *
 * @since 0.2.0
 * @category models
 */
export class Schedule extends Schema.Class<Schedule>("charlotte/Schedule")({
  /** The kind of its jobs. */
  kind: Schema.NonEmptyString,
  name: Schema.NonEmptyString,
  cron: Schema.String,
  timeZone: Schema.String,
  /** What becomes of ticks at which no process ran the schedule: `once` or `skip`. */
  missed: Schema.String,
  /** What becomes of a tick while the last job is not over: `skip` or `queue`. */
  overlap: Schema.String,
  /** Ticks count from this time on: the first registration, the last change of its definition, or the end of its last pause. */
  since: Schema.DateTimeUtc,
  /** The next tick; missing for a paused schedule. */
  nextTick: Schema.optional(Schema.DateTimeUtc),
  lastTick: Schema.optional(Schema.DateTimeUtc),
  /** The job of the last tick that has started one; it may have been pruned. */
  lastRun: Schema.optional(JobId),
  pausedAt: Schema.optional(Schema.DateTimeUtc),
  /** Who has paused it, as claimed. */
  pausedBy: Schema.optional(Schema.String),
  /** How many ticks have started no job, though one was due. */
  skipped: Schema.Int,
  lastSkipped: Schema.optional(SkippedTick),
  /** A time that had its job while the clock was ahead has had a second one since. */
  lastReset: Schema.optional(ScheduleReset),
  /** Whether the process that answers runs the schedule. */
  isLive: Schema.Boolean
}) {}

/** The time after which the next tick of a schedule is. */
export const position = ({ lastTick, since }: Pick<Schedule, "lastTick" | "since">): DateTime.Utc =>
  lastTick === undefined ? since : DateTime.max(lastTick, since)

/** The schedule with its next tick; a later version may have recorded an expression that this one cannot read. */
export const withNext = (schedule: Schedule, now: DateTime.Utc): Schedule => {
  if (schedule.pausedAt !== undefined) return schedule
  const { cron, timeZone } = schedule
  return Option.match(
    Option.flatMap(Either.getRight(CronTicks.parse(cron, timeZone)), ({ next }) =>
      next(DateTime.max(position(schedule), now))
    ),
    {
      onNone: () => schedule,
      onSome: (nextTick) => new Schedule({ ...schedule, nextTick }, { disableValidation: true })
    }
  )
}

/** The first tick that is not recorded yet; none for a paused schedule. */
const dueTick = (schedule: Schedule): Option.Option<DateTime.Utc> =>
  schedule.pausedAt === undefined ? Option.fromNullable(withNext(schedule, position(schedule)).nextTick) : Option.none()

/** For how many seconds a tick has been due that is not recorded. */
export const overdueSeconds = (schedule: Schedule, now: DateTime.Utc): number =>
  Option.match(dueTick(schedule), {
    onNone: () => 0,
    onSome: (due) => Math.max(0, Math.floor((now.epochMillis - due.epochMillis) / 1000))
  })
