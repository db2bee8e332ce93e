/**
 * Kills processes that a crash has left running on this machine. This machine cannot see whether another machine's process is gone,
 * and a different boot id proves nothing, so the record stays open for a manager there.
 */
import { Effect, Option } from "effect"
import { now } from "../internal/now.js"
import type { StoreError } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type { ChildProcessStore, OpenProcess } from "../store/port/RunStoreService.js"
import type { Launch } from "./spawnProcess.js"
import type { ProcessTable } from "./ProcessTable.js"
import * as ProcessTree from "./ProcessTree.js"
import { kill } from "./terminate.js"

export const make = (runner: {
  readonly attempts: ChildProcessStore
  readonly launch: Launch
  readonly table: Option.Option<ProcessTable>
  readonly bootId: string
  /** Missing if the records are of one machine. */
  readonly machine: string | undefined
}): ((jobId: JobId, attempt?: number) => Effect.Effect<number, StoreError>) => {
  const { attempts, bootId, launch, machine, table } = runner

  const isElsewhere = (process: OpenProcess) =>
    machine !== undefined && process.machine !== undefined && process.machine !== machine

  /** Returns the number of processes found. */
  const clear = (process: OpenProcess) =>
    Effect.gen(function* () {
      if (process.bootId !== bootId) return 0
      if (Option.isNone(table)) {
        yield* Effect.logWarning(
          `there is no /proc: whether a crash has left process ${process.pid} (${process.purpose}) behind is unknown`
        )
        return 0
      }
      const cgroup = table.value.cgroups?.find(process.cookie)
      const tree = ProcessTree.make({ table, cookie: process.cookie, leader: leaderOf(process), cgroup })
      const { found } = tree.sweep()
      yield* kill(tree)
      cgroup?.remove()
      return found.length
    })

  return Effect.fn("ProcessRunner.recover")(function* (jobId: JobId, attempt = Infinity) {
    let count = 0
    for (const process of yield* attempts.unclosed(jobId)) {
      if (process.attempt > attempt) continue
      if (isElsewhere(process)) {
        const { machine, pid, purpose } = process
        yield* Effect.logInfo(`${purpose} (pid ${pid ?? "unknown"}) is left to a manager on machine ${machine}`)
        continue
      }
      count += yield* clear(process)
      yield* launch.clear(process.cookie)
      yield* attempts.close({ cookie: process.cookie, at: yield* now })
    }
    return count
  })
}

/** A pid without a start time does not identify a process. */
const leaderOf = ({ pid, startTime }: OpenProcess): ProcessTree.Leader | undefined =>
  pid === undefined || startTime === undefined ? undefined : { pid, startTime: Number(startTime), isChild: false }
