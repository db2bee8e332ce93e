/**
 * The part of the in-memory store for child processes of jobs.
 */
import { Effect } from "effect"
import type { JobId } from "../../domain/JobId.js"
import type { ChildProcessStore, OpenProcess, RecordedLog } from "../port/ChildProcessStore.js"
import { storable } from "../rules/storableWork.js"

/** `kindOf` returns the kind of a run; `undefined` if it was pruned. */
export const make = (
  kindOf: (id: JobId) => string | undefined
): ChildProcessStore & { readonly has: (id: JobId) => boolean; readonly forget: (id: JobId) => void } => {
  const processes = new Map<string, OpenProcess>()
  /** Log files by job, then by cookie. */
  const logs = new Map<JobId, Map<string, RecordedLog>>()
  const jobIds = (): ReadonlySet<JobId> => new Set([...processes.values()].map(({ jobId }) => jobId))

  return {
    spansMachines: false,
    has: (id) => jobIds().has(id),
    forget: (id) => void logs.delete(id),
    open: ({ at: openedAt, attempt, bootId, cookie, jobId, log, machine, purpose }) =>
      Effect.sync(() => {
        const spawned = { pid: undefined, startTime: undefined }
        processes.set(cookie, { cookie, jobId, attempt, bootId, machine, purpose, ...spawned })
        if (log === undefined) return
        const recorded = { log, machine, openedAt, closedAt: undefined, tail: undefined }
        logs.set(jobId, new Map([...(logs.get(jobId) ?? []), [cookie, recorded]]))
      }),
    spawned: ({ cookie, pid, startTime }) =>
      Effect.sync(() => {
        const process = processes.get(cookie)
        if (process !== undefined) processes.set(cookie, { ...process, pid, startTime })
      }),
    close: ({ at: closedAt, cookie, tail }) =>
      Effect.sync(() => {
        const process = processes.get(cookie)
        const ofJob = process && logs.get(process.jobId)
        const log = ofJob?.get(cookie)
        if (log !== undefined) ofJob?.set(cookie, { ...log, closedAt, tail: tail && storable(tail) })
        processes.delete(cookie)
      }),
    logs: (jobId) => Effect.sync(() => [...(logs.get(jobId)?.values() ?? [])]),
    unclosed: (jobId) => Effect.sync(() => [...processes.values()].filter((process) => process.jobId === jobId)),
    leftBy: (kind) => Effect.sync(() => [...jobIds()].filter((id) => kindOf(id) === kind).sort())
  }
}
