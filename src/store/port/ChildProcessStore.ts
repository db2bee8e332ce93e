/**
 * Child processes of jobs, recorded before they are spawned so that orphans can be found after a crash.
 *
 * @since 0.1.0
 */
import type { DateTime, Effect } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"

/** @since 0.1.0 */
export interface ChildProcessStore {
  /** Whether managers on several machines may share these records; then each record has to name its machine. */
  readonly spansMachines: boolean

  /** Commits the intent to spawn. */
  readonly open: (process: {
    readonly cookie: string
    readonly jobId: JobId
    readonly attempt: number
    /** The boot id of the kernel; a process of another boot is dead. */
    readonly bootId: string
    /** The machine of the process; missing if the records are of one machine. */
    readonly machine?: string | undefined
    /** A label for people, such as `agent` or `gate`. */
    readonly purpose: string
    /** The file that receives the output; missing if the records are of one machine. */
    readonly log?: string | undefined
    readonly at: DateTime.Utc
  }) => Effect.Effect<void, StoreError>

  /** Records the process id after the spawn. */
  readonly spawned: (process: {
    readonly cookie: string
    readonly pid: number
    /** The start time in clock ticks since boot, as the kernel reports it; with the pid it identifies a process within a boot. */
    readonly startTime: string | undefined
  }) => Effect.Effect<void, StoreError>

  /**
   * Closes the record once the whole process tree is gone. `tail` is the end of the output, at most 16 KiB, for readers on other
   * machines when the machine of the process is gone; it is left out if the records are of one machine, since the file is there.
   */
  readonly close: (process: {
    readonly cookie: string
    readonly at: DateTime.Utc
    readonly tail?: string | undefined
  }) => Effect.Effect<void, StoreError>

  /** The log files of a job on all machines, oldest first; none if the records are of one machine. */
  readonly logs: (jobId: JobId) => Effect.Effect<ReadonlyArray<RecordedLog>, StoreError>

  /** The open records of a job on all machines. */
  readonly unclosed: (jobId: JobId) => Effect.Effect<ReadonlyArray<OpenProcess>, StoreError>

  /** The jobs of a kind with open records, in any status. */
  readonly leftBy: (kind: string) => Effect.Effect<ReadonlyArray<JobId>, StoreError>
}

/** @since 0.1.0 */
export interface OpenProcess {
  readonly cookie: string
  readonly jobId: JobId
  readonly attempt: number
  readonly bootId: string
  /** Undefined if the records are of one machine, and in records from before there could be several. */
  readonly machine: string | undefined
  readonly purpose: string
  /** Undefined when a crash came between the intent and the spawn. */
  readonly pid: number | undefined
  readonly startTime: string | undefined
}

/**
 * The file with the output of a process.
 *
 * @since 0.2.0
 */
export interface RecordedLog {
  /** The path of the file on its machine. */
  readonly log: string
  /** The machine of the file; undefined if it was recorded without one. */
  readonly machine: string | undefined
  readonly openedAt: DateTime.Utc
  /** Undefined while the process may be alive, and if a crash came before its end. */
  readonly closedAt: DateTime.Utc | undefined
  /** The end of the output. */
  readonly tail: string | undefined
}
