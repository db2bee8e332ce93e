/**
 * What both databases do for schedules in the same way.
 */
import { type DateTime, Effect, Option, Schema } from "effect"
import type { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import { Schedule, ScheduleReset, SkippedTick } from "../../domain/Schedule.js"
import type { ScheduleName, ScheduleStore, StartScheduled, Tick, Ticked } from "../port/RunStoreService.js"

/** The row of a schedule. */
export interface Recorded extends ScheduleName {
  readonly definition: string
  readonly since: DateTime.Utc
  readonly lastTick?: DateTime.Utc | undefined
  readonly lastRun?: JobId | undefined
  readonly pausedAt?: DateTime.Utc | undefined
  readonly pausedBy?: string | undefined
  readonly resetAt?: DateTime.Utc | undefined
  readonly resetFrom?: DateTime.Utc | undefined
  readonly skipped: number
  readonly skippedTick?: DateTime.Utc | undefined
  readonly skippedReason?: string | undefined
}

/** A key of maps of schedules. */
export const keyOf = ({ kind, name }: ScheduleName): string => `${kind}/${name}`

/** Why a tick is not recorded: it is not after the last one, or is not one of this schedule as it is now. */
export const refused = (row: Recorded | undefined, { definition }: Pick<Tick, "definition">): Ticked => ({
  _tag: "Refused",
  why: row?.definition !== definition ? "changed" : row.pausedAt === undefined ? "taken" : "paused"
})

export const overlapping = ({ id, status }: Pick<Run, "id" | "status">): string => `its last job ${id} is ${status}`

/** The parts of a definition that are shown; a later version may have recorded others. */
const Definition = Schema.parseJson(
  Schema.Struct({ cron: Schema.String, timeZone: Schema.String, missed: Schema.String, overlap: Schema.String })
)
const decode = Schema.decodeOption(Definition)
const unknown = { cron: "?", timeZone: "?", missed: "?", overlap: "?" }

export const shown = (row: Recorded, isLive: boolean): Schedule => {
  const { definition, kind, lastRun, lastTick, name, pausedAt, pausedBy, resetAt, resetFrom, since, skipped } = row
  const { skippedReason: reason, skippedTick: tick } = row
  return new Schedule(
    {
      kind,
      name,
      ...Option.getOrElse(decode(definition), () => unknown),
      since,
      ...(lastTick && { lastTick }),
      ...(lastRun && { lastRun }),
      ...(pausedAt && { pausedAt }),
      ...(pausedBy !== undefined && { pausedBy }),
      ...(resetAt &&
        resetFrom && { lastReset: new ScheduleReset({ at: resetAt, from: resetFrom }, { disableValidation: true }) }),
      skipped,
      ...(tick &&
        reason !== undefined && { lastSkipped: new SkippedTick({ tick, reason }, { disableValidation: true }) }),
      isLive
    },
    { disableValidation: true }
  )
}

/** The schedules that this process runs. */
export const makeServing = (): Pick<ScheduleStore, "serve" | "served"> & {
  readonly isServed: (schedule: ScheduleName) => boolean
} => {
  const starts = new Map<string, StartScheduled>()
  return {
    isServed: (schedule) => starts.has(keyOf(schedule)),
    served: (schedule) => Effect.sync(() => Option.fromNullable(starts.get(keyOf(schedule)))),
    serve: (schedule, start) =>
      Effect.acquireRelease(
        Effect.sync(() => void starts.set(keyOf(schedule), start)),
        () =>
          Effect.sync(() => {
            if (starts.get(keyOf(schedule)) === start) starts.delete(keyOf(schedule))
          })
      )
  }
}
