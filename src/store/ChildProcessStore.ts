/**
 * The child processes of jobs, recorded before they are spawned so that whoever comes after a crash can find them.
 *
 * @since 0.1.0
 */
import type { DateTime, Effect } from "effect"
import type { StoreError } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"

/** @since 0.1.0 */
export interface ChildProcessStore {
  /** Commits the intent to spawn. */
  readonly open: (process: {
    readonly cookie: string
    readonly jobId: JobId
    readonly attempt: number
    /** Of the kernel that runs it: a process of another boot is dead. */
    readonly bootId: string
    /** For people, such as `agent` or `gate`. */
    readonly purpose: string
    readonly at: DateTime.Utc
  }) => Effect.Effect<void, StoreError>

  /** It runs, under this process id. */
  readonly spawned: (process: {
    readonly cookie: string
    readonly pid: number
    /** As the kernel tells it, in clock ticks since the boot; with the pid it names a process for ever. */
    readonly startTime: string | undefined
  }) => Effect.Effect<void, StoreError>

  /** Nothing of it is left. */
  readonly close: (process: { readonly cookie: string; readonly at: DateTime.Utc }) => Effect.Effect<void, StoreError>

  /** Those of a job that were opened and not closed. */
  readonly unclosed: (jobId: JobId) => Effect.Effect<ReadonlyArray<OpenProcess>, StoreError>

  /** The jobs of a kind that have any which are not closed, whatever became of those jobs. */
  readonly leftBy: (kind: string) => Effect.Effect<ReadonlyArray<JobId>, StoreError>
}

/** @since 0.1.0 */
export interface OpenProcess {
  readonly cookie: string
  readonly jobId: JobId
  readonly attempt: number
  readonly bootId: string
  readonly purpose: string
  /** Missing when the crash came between the intent and the spawn. */
  readonly pid: number | undefined
  readonly startTime: string | undefined
}
