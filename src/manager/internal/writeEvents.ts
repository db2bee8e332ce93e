/**
 * Writes the events of an attempt to the log, and retries for as long as it takes.
 */
import { Effect, Option, Ref } from "effect"
import type { Run } from "../../domain/Run.js"
import type { AcceptedEvent } from "../../store/port/RunStoreService.js"
import { letGo } from "./closeJobs.js"
import type { Core } from "./Core.js"
import * as JobRegistry from "./JobRegistry.js"

export const writeEvents = <Config>(core: Core<Config>, run: Run) => {
  const { persistRetry, store } = core
  const { attempt, id } = run
  let isLetGo = false
  const letGoOnce = Effect.suspend(() => {
    if (isLetGo) return Effect.void
    isLetGo = true
    return letGoIfWorking(core, run)
  })
  return (events: ReadonlyArray<AcceptedEvent>): Effect.Effect<void> =>
    persistRetry.persist(id, store.append({ jobId: id, attempt, events })).pipe(
      // The attempt is over.
      Effect.catchTag("Superseded", () => letGoOnce),
      // The job waits for its events before it ends, so a failure must not keep it from ending.
      Effect.catchAllCause((cause) =>
        Effect.annotateLogs(Effect.logError(`events of job ${id} are lost`, cause), { jobId: id })
      )
    )
}

/**
 * Interrupts an attempt that is still working, although another process has ended it or taken over its run. Events of an attempt that
 * is ending here, or has ended, are only late.
 */
export const letGoIfWorking = <Config>(core: Core<Config>, { attempt, id }: Run): Effect.Effect<void> =>
  Effect.gen(function* () {
    const active = Option.getOrUndefined(yield* JobRegistry.get(core.jobs, id))
    if (active === undefined || active._tag === "Admitting" || active._tag === "Settling") return
    if ((yield* Ref.get(active.job.record)).attempt !== attempt) return
    yield* Effect.logWarning(`attempt ${attempt} of job ${id} was ended by another process, and is interrupted here`)
    yield* letGo(core, active)
  }).pipe(Effect.annotateLogs({ jobId: id }))
