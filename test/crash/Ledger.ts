/**
 * What the daemon has said in all its lives. None of it may ever be untrue.
 */
import type { JobEvent, JobId, RunStatus } from "charlotte"
import type { Job, State } from "./State.js"

export interface Ledger {
  /** A job was started. */
  readonly started: (id: JobId.JobId) => void
  /** A job was told to have ended so. */
  readonly ended: (id: JobId.JobId, status: RunStatus.RunStatus) => void
  /** An event was shown, next after the one before. */
  readonly shown: (event: JobEvent.JobEvent) => void
  readonly violation: (what: string) => void
  /** What was said and is not so, or was seen and must not be. */
  readonly untrue: (state: State) => ReadonlyArray<string>
  readonly figures: () => { readonly answers: number; readonly events: number }
}

export const make = (): Ledger => {
  const started = new Set<JobId.JobId>()
  const ended = new Map<JobId.JobId, RunStatus.RunStatus>()
  const shown: Array<JobEvent.JobEvent> = []
  const violations: Array<string> = []
  const calls = new Map<string, number>()

  /** An event is there as it was shown, and none is between it and the one that was shown before. */
  const untrueEvents = ({ events }: State) =>
    shown.flatMap(({ cursor, jobId, seq, type }, i) => {
      const event = events.get(cursor)
      if (event === undefined || event.id !== jobId || event.seq !== seq || event.type !== type)
        return [`event ${seq} of ${jobId} (${cursor}, ${type}) was shown, and is not there`]
      const before = shown[i - 1]?.cursor ?? 0
      return event.previous === before ? [] : [`event ${cursor} was shown after ${before}, and not ${event.previous}`]
    })

  /** No agent is called for a task that was recorded as done. */
  const repeated = ({ jobs }: State) =>
    [...jobs.values()].flatMap(({ done, id }: Job) =>
      done.flatMap(({ calls: now, task }) => {
        const before = calls.get(`${id} ${task}`)
        calls.set(`${id} ${task}`, now)
        return before === undefined || before === now ? [] : [`task ${task} of ${id} was done again after it was done`]
      })
    )

  return {
    started: (id) => void started.add(id),
    ended: (id, status) => void ended.set(id, status),
    shown: (event) => void shown.push(event),
    violation: (what) => void violations.push(what),
    untrue: (state) => [
      ...violations,
      ...[...started].filter((id) => !state.jobs.has(id)).map((id) => `${id} was started, and is not there`),
      ...[...ended]
        .filter(([id, status]) => state.jobs.get(id)?.status !== status)
        .map(([id, status]) => `${id} was ${status}, and is ${state.jobs.get(id)?.status}`),
      ...untrueEvents(state),
      ...repeated(state)
    ],
    figures: () => ({ answers: started.size + ended.size, events: shown.length })
  }
}
