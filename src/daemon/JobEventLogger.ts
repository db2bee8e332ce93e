/**
 * What becomes of jobs, in the log.
 */
import { Effect, Schedule, Stream } from "effect"
import { type JobEvent, lifecycle } from "../domain/JobEvent.js"
import { JobManager } from "../manager/JobManager.js"

const tell = ({ jobId, task, type, unit }: JobEvent) =>
  Effect.annotateLogs(
    type in lifecycle ? Effect.logInfo(type) : Effect.logDebug(type),
    Object.fromEntries(Object.entries({ jobId, unit, task }).filter(([, value]) => value !== undefined))
  )

/** A store that does not answer is asked again, less and less often. */
const patience = Schedule.union(Schedule.exponential("1 second"), Schedule.spaced("1 minute"))

/** Tells what happens after that event, until the manager ends; the last that it wrote is told, too. */
export const follow = (after: number) =>
  Effect.gen(function* () {
    const manager = yield* JobManager
    let last = after
    yield* Stream.suspend(() => manager.allEvents({ after: last })).pipe(
      Stream.runForEach((event) => {
        last = event.cursor
        return tell(event)
      }),
      Effect.tapErrorCause((cause) => Effect.logWarning("what jobs do is not told for a moment", cause)),
      Effect.retry(patience),
      Effect.annotateLogs("module", "JobLog")
    )
  })
