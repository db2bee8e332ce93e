/**
 * Logs the events of jobs.
 */
import { Effect, Schedule, Stream } from "effect"
import { type JobEvent, statusAfter } from "../../domain/JobEvent.js"
import { JobManager } from "../../manager/JobManager.js"

const logEvent = (event: JobEvent) => {
  const { jobId, task, type, unit } = event
  return Effect.annotateLogs(
    statusAfter(event) === undefined ? Effect.logDebug(type) : Effect.logInfo(type),
    Object.fromEntries(Object.entries({ jobId, unit, task }).filter(([, value]) => value !== undefined))
  )
}

/** The retries while the store fails. */
const retries = Schedule.union(Schedule.exponential("1 second"), Schedule.spaced("1 minute"))

/** Logs the events after a cursor, up to the last one that the manager writes. */
export const follow = (after: number) =>
  Effect.gen(function* () {
    const manager = yield* JobManager
    let last = after
    yield* Stream.suspend(() => manager.allEvents({ after: last })).pipe(
      Stream.runForEach((event) => {
        last = event.cursor
        return logEvent(event)
      }),
      Effect.tapErrorCause((cause) => Effect.logWarning("reading job events failed, retrying", cause)),
      Effect.retry(retries),
      Effect.annotateLogs("module", "JobLog")
    )
  })
