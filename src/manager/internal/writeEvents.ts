/**
 * Writes what an attempt has emitted into the log, for as long as it takes.
 */
import { Effect } from "effect"
import type { Run } from "../../domain/Run.js"
import type { AcceptedEvent } from "../../store/RunStoreService.js"
import type { Core } from "./Core.js"

export const writeEvents =
  <Config>({ persistRetry, store }: Core<Config>, { attempt, id }: Run) =>
  (events: ReadonlyArray<AcceptedEvent>): Effect.Effect<void> =>
    persistRetry.persist(id, store.append({ jobId: id, attempt, events })).pipe(
      // The attempt is over, and what it still emits comes too late.
      Effect.catchTag("Superseded", () => Effect.void),
      // The job waits for its events before it ends, and it has to end.
      Effect.catchAllCause((cause) =>
        Effect.annotateLogs(Effect.logError(`events of job ${id} are lost`, cause), { jobId: id })
      )
    )
