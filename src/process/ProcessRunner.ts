/**
 * Runs the child processes of jobs and leaves none of their descendants behind: not after they exit, not after an interruption, and
 * not after a crash of this program.
 *
 * If the control group of this program is delegated to its user (cgroup v2), each process runs in a separate group, and the kernel
 * reports when it is empty. Otherwise, a process escapes if it does all of this: leaves its session, clears or overwrites its
 * environment, closes or redirects its standard input, output and error, and changes its resource limits. See `ProcessTree` for the
 * rules. Without `/proc`, only the process group is watched: a process that leaves it escapes.
 *
 * @since 0.1.0
 */
import { Context, Effect, Layer, Option } from "effect"
import type { StoreError } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type { ChildProcessStore } from "../store/port/RunStoreService.js"
import { Failpoint } from "../internal/Failpoint.js"
import { MachineRef } from "../internal/Machine.js"
import { KernelRef } from "../internal/ProcessIdentity.js"
import { RunStore } from "../store/RunStore.js"
import { ParentEnvironment } from "./ChildEnvironment.js"
import { LaunchRef } from "./spawnProcess.js"
import { ProcessTableRef } from "./ProcessTable.js"
import * as reapOrphans from "./reapOrphans.js"
import * as superviseProcess from "./superviseProcess.js"
import type { ProcessResult, RunOptions } from "./superviseProcess.js"
import { TreeGuard } from "./TreeGuard.js"

export * as Outcome from "./ProcessOutcome.js"
export type { Slow } from "./processLimits.js"
export type { Limits, ProcessResult, RunOptions } from "./superviseProcess.js"

/**
 * Runs child processes of jobs.
 *
 * @since 0.1.0
 * @category tags
 */
export class ProcessRunner extends Context.Tag("charlotte/ProcessRunner")<ProcessRunner, Service>() {}

/**
 * The operations of `ProcessRunner`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Runs a command and returns when it and all of its descendants have exited. Descendants that outlive it have a moment to exit by
   * themselves, then get SIGTERM, then SIGKILL.
   *
   * Interruption sends SIGTERM to all of them, SIGKILL after the grace period, and returns when none is left: within the grace period
   * and one second, unless a process hangs in the kernel.
   */
  readonly run: (options: RunOptions) => Effect.Effect<ProcessResult, StoreError>

  /** Ends all grace periods, including later ones: remaining processes are killed at once. For a second signal. */
  readonly hurry: Effect.Effect<void>

  /**
   * Kills the processes of a job that a crash has orphaned on this machine, and returns their number when none is left. Not for a
   * running job. Records of other machines stay open, since this machine cannot see whether those processes are gone.
   *
   * With an attempt, processes of later attempts are not touched: another node of a cluster may have started them on this machine.
   */
  readonly recover: (jobId: JobId, attempt?: number) => Effect.Effect<number, StoreError>

  /**
   * How descendants are found: by their control group, by their mark (cookie and resource limit), or by their process group only.
   */
  readonly reach: "cgroup" | "marked" | "group"
}

/**
 * A runner that records its processes in `attempts`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (attempts: ChildProcessStore): Effect.Effect<Service> =>
  Effect.gen(function* () {
    const failpoint = yield* Failpoint
    const table = yield* ProcessTableRef
    const around = yield* ParentEnvironment
    const launch = yield* LaunchRef
    const guard = yield* TreeGuard
    const { self } = yield* KernelRef
    const machine = attempts.spansMachines ? yield* MachineRef : undefined
    if (Option.isNone(table)) {
      yield* Effect.logWarning("there is no /proc: what leaves the process group of an agent or a gate cannot be found")
    }
    let hurried = false
    return ProcessRunner.of({
      run: superviseProcess.make({
        attempts,
        failpoint,
        launch,
        table,
        around,
        guard,
        bootId: self.bootId,
        machine,
        isHurried: () => hurried
      }),
      hurry: Effect.sync(() => {
        hurried = true
      }),
      recover: reapOrphans.make({ attempts, launch, table, bootId: self.bootId, machine }),
      reach: Option.match(table, {
        onNone: () => "group",
        onSome: ({ cgroups }) => (cgroups?.delegated === undefined ? "marked" : "cgroup")
      })
    })
  })

/**
 * A runner that records its processes with the runs.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<ProcessRunner, never, RunStore> = Layer.effect(
  ProcessRunner,
  Effect.flatMap(RunStore, ({ childProcesses: attempts }) => make(attempts))
)
