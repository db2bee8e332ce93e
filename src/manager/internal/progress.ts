/**
 * The progress of an attempt: the newest is kept, and is recorded at once, then at most once a second while it changes, and at the end.
 */
import { Effect, Fiber } from "effect"
import { Progress, type Run } from "../../domain/Run.js"
import type { AnyJob } from "../Orchestrator.js"
import type { Core } from "./Core.js"
import { letGoIfWorking } from "./writeEvents.js"

export interface ProgressRecorder<Config> {
  readonly report: AnyJob<Config>["progress"]
  /** Records the newest progress, at the end of the attempt. */
  readonly flush: Effect.Effect<void>
  /** The progress that the attempt has recorded last. */
  readonly recorded: () => Progress | undefined
}

const pause = "1 second"

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

/** A job that reports nothing pays for these closures only: no fiber, timer or statement. */
export const make = <Config>(core: Core<Config>, run: Run): ProgressRecorder<Config> => {
  const { attempt, id, tries = 0 } = run
  let newest: Pick<Progress, "done" | "text" | "total"> | undefined
  let recorded: Progress | undefined
  let recording: Fiber.RuntimeFiber<void> | undefined

  const record = Effect.suspend(() => {
    if (newest === undefined) return Effect.void
    const progress = new Progress(newest, { disableValidation: true })
    newest = undefined
    return core.persistRetry.persist(id, core.store.progress({ jobId: id, attempt, tries, progress })).pipe(
      Effect.map((progress) => void (recorded = progress)),
      // The attempt is over.
      Effect.catchTag("Superseded", () => letGoIfWorking(core, run)),
      // The job waits for its progress before it ends, so a failure must not keep it from ending.
      Effect.catchAllCause((cause) =>
        Effect.annotateLogs(Effect.logError(`the progress of job ${id} is lost`, cause), { jobId: id })
      )
    )
  }).pipe(Effect.uninterruptible)

  const whileItChanges: Effect.Effect<void> = Effect.suspend(() => {
    if (newest !== undefined) return Effect.zipRight(Effect.zipRight(record, Effect.sleep(pause)), whileItChanges)
    recording = undefined
    return Effect.void
  })

  return {
    recorded: () => recorded,

    report: ({ done, text, total }) =>
      Effect.suspend(() => {
        if (!isCount(done) || !isCount(total)) {
          return Effect.dieMessage(
            `progress: done and total are whole numbers from 0 on, and not ${isCount(done) ? total : done}`
          )
        }
        newest = { done: Math.min(done, total), total, ...(text === undefined ? {} : { text }) }
        return recording === undefined
          ? Effect.map(core.fork(whileItChanges), (fiber) => void (recording = fiber))
          : Effect.void
      }),

    flush: Effect.suspend(() =>
      recording === undefined ? Effect.void : Effect.zipRight(Fiber.interrupt(recording), record)
    )
  }
}
