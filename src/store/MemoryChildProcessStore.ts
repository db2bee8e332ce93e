/**
 * The part of the in-memory store for child processes of jobs.
 */
import { Effect } from "effect"
import type { JobId } from "../domain/JobId.js"
import type { ChildProcessStore, OpenProcess } from "./ChildProcessStore.js"

/** `kindOf`: the kind of a run; `undefined` when it was pruned. */
export const make = (
  kindOf: (id: JobId) => string | undefined
): ChildProcessStore & { readonly has: (id: JobId) => boolean } => {
  const processes = new Map<string, OpenProcess>()
  const jobIds = (): ReadonlySet<JobId> => new Set([...processes.values()].map(({ jobId }) => jobId))

  return {
    spansMachines: false,
    has: (id) => jobIds().has(id),
    open: ({ attempt, bootId, cookie, jobId, machine, purpose }) =>
      Effect.sync(() => {
        const spawned = { pid: undefined, startTime: undefined }
        processes.set(cookie, { cookie, jobId, attempt, bootId, machine, purpose, ...spawned })
      }),
    spawned: ({ cookie, pid, startTime }) =>
      Effect.sync(() => {
        const process = processes.get(cookie)
        if (process !== undefined) processes.set(cookie, { ...process, pid, startTime })
      }),
    close: ({ cookie }) => Effect.sync(() => void processes.delete(cookie)),
    unclosed: (jobId) => Effect.sync(() => [...processes.values()].filter((process) => process.jobId === jobId)),
    leftBy: (kind) => Effect.sync(() => [...jobIds()].filter((id) => kindOf(id) === kind).sort())
  }
}
