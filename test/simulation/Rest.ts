/**
 * What has to be so once all faults are over, of one manager as of a cluster.
 */
import type * as Operations from "./Operations.js"
import * as Records from "./Records.js"
import type { World } from "./World.js"

export const make = (
  { kind, ledger, machine, maxJobs, records }: World,
  { operations, recovery }: { readonly operations: Operations.Operations; readonly recovery: "manual" | "automatic" }
) => {
  const { nameOf, random, violate } = machine

  const unfinished = () => [...records.jobs.values()].filter(({ status }) => !Records.terminal.has(status))

  /** Calls without an answer that they should have by now. */
  const unanswered = (): ReadonlyArray<string> =>
    operations.calls().flatMap(({ isBehind, name, waitsFor }) => {
      const job = waitsFor === undefined ? undefined : records.jobs.get(waitsFor)
      const mayWait = name.startsWith("all events") || (job !== undefined && !Records.terminal.has(job.status))
      return [...(isBehind() ? [`${name} has not seen all of it`] : []), ...(mayWait ? [] : [`${name} has no answer`])]
    })

  /** Besides those, jobs that neither run nor wait as they should. */
  const complaints = (): ReadonlyArray<string> => {
    const found = [...unanswered()]
    const left = unfinished()
    const running = left.filter(({ status }) => status === "running")
    for (const { attempt, id } of running)
      if (ledger.body(id)?.attempt !== attempt) found.push(`${nameOf(id)} is recorded as running, and does not run`)
    if (records.hasRequests()) found.push("a request of a producer is left")
    if (kind?.timeout !== undefined)
      for (const { id } of running) found.push(`${nameOf(id)} runs, and its time limit is over`)
    for (const { id, signals, status } of left) {
      const { signals: sent, stops } = operations.requests
      if (stops.has(id)) found.push(`a producer has stopped ${nameOf(id)}, and it is ${status}`)
      for (const payload of sent.get(id) ?? [])
        if (!signals.some((signal) => signal.payload === payload))
          found.push(`a producer has sent signal ${payload} to ${nameOf(id)}, and it is not recorded`)
    }
    for (const { id, isInOutbox, key, startKey, status, waitsFor } of left) {
      if (isInOutbox) found.push(`${nameOf(id)} was committed, and is not queued`)
      const isDue = waitsFor === "permit" && (status !== "interrupted" || recovery === "automatic")
      if (isDue && running.length < maxJobs) found.push(`${nameOf(id)} is ${status}, and is not continued`)
      if (waitsFor === "time") found.push(`${nameOf(id)} waits for a time, and nothing happens any more`)
      // A run that waits for one of its two keys holds neither, and yet it is before those that came later.
      const isBehind = left.some(
        (job) =>
          (job.waitsFor !== "key" || job.id < id) &&
          ((key !== null && job.key === key) || (startKey !== null && job.startKey === startKey))
      )
      if (waitsFor === "key" && !isBehind) found.push(`${nameOf(id)} waits for a key that no run holds`)
    }
    return found
  }

  return {
    unfinished,
    unanswered,
    complaints,
    /** A job that was acknowledged. */
    pickJob: () => {
      const [first, ...rest] = operations.known()
      return first === undefined
        ? undefined
        : random.chance(0.5)
          ? (rest.at(-1) ?? first)
          : random.pick([first, ...rest])
    },
    /** As many jobs can be started as there are permits, and no more. `settle` answers whether nothing is wrong. */
    probe: ({ settle, start }: { readonly settle: () => boolean; readonly start: () => void }) => {
      const { answers } = operations
      answers.length = 0
      for (let i = 0; i < maxJobs; i++) start()
      if (!settle()) return
      if (answers.length < maxJobs || answers.some((answer) => answer !== "started"))
        violate(`places are missing: ${answers.join(", ")}`)
      // They have exceeded their time limit meanwhile.
      if (kind?.timeout !== undefined) return
      answers.length = 0
      start()
      if (settle() && answers.join() !== "MaxJobsReached") violate(`one job too many: ${answers.join(", ")}`)
    },
    /** Every job that is recorded was given to a caller, or its answer was lost. */
    checkUnheardOf: () => {
      const unheardOf = records.jobs.size - operations.known().length
      if (unheardOf > operations.lostStarts()) violate(`${unheardOf} jobs are recorded whose ids no caller was given`)
    }
  }
}
