/**
 * The schedules of jobs, and their ticks.
 */
import type { DateTime, Effect, Option, Scope } from "effect"
import type { InvalidJobConfig, JobConflict, QueueFull, ScheduleNotFound, StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Schedule } from "../../domain/Schedule.js"
import type { NewRun } from "./RunWrites.js"

export interface ScheduleName {
  readonly kind: string
  readonly name: string
}

export interface ScheduleRegistration extends ScheduleName {
  /** JSON text; what it does not contain cannot change a schedule. */
  readonly definition: string
  readonly at: DateTime.Utc
}

export interface Tick extends ScheduleName {
  readonly definition: string
  readonly tick: DateTime.Utc
  /** The run of the tick, or why it has none. */
  readonly run: NewRun | string
  /** Whether the tick is skipped while the last run of the schedule is not over. */
  readonly skipsOverlap: boolean
}

/** What became of a tick. It is `Refused`, and nothing is recorded, if it is not for this process to record it. */
export type Ticked =
  | { readonly _tag: "Started"; readonly id: JobId }
  | { readonly _tag: "Skipped"; readonly reason: string }
  | { readonly _tag: "Refused"; readonly why: "taken" | "paused" | "changed" }

/** `by` is who has asked for a run now, as claimed. */
export type StartScheduled = (
  by: string | undefined
) => Effect.Effect<JobId, InvalidJobConfig | JobConflict | QueueFull | StoreError>

export interface ScheduleStore {
  /**
   * Records a schedule; a new or changed one from this time on. Returns the time after which its next tick is: ticks after it up to now
   * are missed.
   */
  readonly register: (registration: ScheduleRegistration) => Effect.Effect<DateTime.Utc, StoreError>

  /**
   * Records a tick with its run, which is pending and waits for its manager as a run of a producer does, in one transaction. A tick is
   * recorded once: another process may have recorded it, or a later one, and then nothing happens.
   */
  readonly tick: (tick: Tick) => Effect.Effect<Ticked, StoreError>

  /**
   * Lets a schedule whose last tick, or whose registration, was recorded by a clock that was ahead go back to the time by the clock of now.
   * Returns the time after which its next tick is, which another process may have changed.
   */
  readonly reset: (
    reset: ScheduleName & { readonly definition: string; readonly from: DateTime.Utc; readonly to: DateTime.Utc }
  ) => Effect.Effect<DateTime.Utc, StoreError>

  /** All schedules, by kind and name. */
  readonly list: Effect.Effect<ReadonlyArray<Schedule>, StoreError>

  /** Once it returns, no tick is recorded. A paused schedule stays as it is. */
  readonly pause: (
    pause: ScheduleName & { readonly at: DateTime.Utc; readonly by?: string | undefined }
  ) => Effect.Effect<void, ScheduleNotFound | StoreError>

  /** Ticks count again from this time on. */
  readonly unpause: (
    unpause: ScheduleName & { readonly at: DateTime.Utc }
  ) => Effect.Effect<void, ScheduleNotFound | StoreError>

  /** Removes a schedule; a process that runs it registers it again when it starts. */
  readonly remove: (schedule: ScheduleName) => Effect.Effect<void, ScheduleNotFound | StoreError>

  /** While the scope is open, this process starts runs of the schedule on request. */
  readonly serve: (schedule: ScheduleName, start: StartScheduled) => Effect.Effect<void, never, Scope.Scope>

  /** Starts a run of the schedule; none if this process does not run it. */
  readonly served: (schedule: ScheduleName) => Effect.Effect<Option.Option<StartScheduled>>
}
