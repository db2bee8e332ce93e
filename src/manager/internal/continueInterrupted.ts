/**
 * Continues the interrupted runs of a manager that has ended, oldest first, as permits become free. None of them is held in
 * memory: they are read from the store, a page at a time.
 */
import { Cause, Effect, Ref } from "effect"
import type {
  JobConflict,
  JobNotFound,
  MaxJobsReached,
  NotResumable,
  ShuttingDown,
  StoreError
} from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { UnfinishedRun } from "../../store/RunStoreService.js"
import { RealClock } from "../../internal/RealClock.js"
import type { Core } from "./Core.js"
import { forEachPage, record, tooManyCrashes } from "./recovery.js"

type Resume = (
  id: JobId
) => Effect.Effect<void, JobNotFound | NotResumable | MaxJobsReached | JobConflict | ShuttingDown | StoreError>

/** Milliseconds to wait after a failure of the store. */
const pause = 500

export interface Continuation {
  /** Continues them; ends when none is left. */
  readonly run: Effect.Effect<void>
  /** Runs an effect while none of them begins. */
  readonly pausedDuring: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export const make = <Config>(core: Core<Config>, resume: Resume): Effect.Effect<Continuation> =>
  Effect.gen(function* () {
    const latch = yield* Effect.makeLatch(true)
    const pauses = yield* Ref.make(0)

    const run = Effect.gen(function* () {
      while (true) {
        const ended = yield* core.jobEnded.version
        const left = yield* pass(core, resume, latch.await)
        if (left === "none") return
        // Those that are left wait for the keys of jobs that have not ended.
        if (left === "conflicts") yield* core.jobEnded.changed(ended)
        else yield* Effect.flatMap(RealClock, ({ sleep }) => sleep(pause))
      }
    })

    return {
      run,
      pausedDuring: (effect) =>
        Effect.acquireUseRelease(
          Effect.zipRight(
            Ref.update(pauses, (n) => n + 1),
            latch.close
          ),
          () => effect,
          () =>
            Effect.flatMap(
              Ref.updateAndGet(pauses, (n) => n - 1),
              (n) => (n === 0 ? latch.open : Effect.void)
            )
        )
    }
  })

/** Once over all of them; answers what is left. */
const pass = <Config>(core: Core<Config>, resume: Resume, allowed: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const conflicts = yield* Ref.make(false)
    const passed = forEachPage(core, "interrupted", (page) =>
      Effect.forEach(
        page,
        (unfinished) =>
          Effect.flatMap(continueRun(core, resume, allowed, unfinished), (outcome) =>
            outcome === "conflict" ? Ref.set(conflicts, true) : Effect.void
          ),
        { discard: true }
      )
    )
    const left = Effect.map(Ref.get(conflicts), (some) => (some ? "conflicts" : "none"))
    return yield* Effect.matchEffect(passed, {
      onSuccess: () => left,
      onFailure: (error) => Effect.as(Effect.logWarning("interrupted jobs could not be continued yet", error), "failed")
    })
  })

const continueRun = <Config>(
  core: Core<Config>,
  resume: Resume,
  allowed: Effect.Effect<void>,
  { crashes, run }: UnfinishedRun
): Effect.Effect<"done" | "conflict", StoreError> =>
  Effect.gen(function* () {
    // The manager before may have died between the record of the crash and that of the failure.
    const error = tooManyCrashes(crashes)
    if (error !== undefined) {
      yield* record(core.store, run, { type: "job.failed", error })
      return "done"
    }
    while (true) {
      yield* allowed
      const free = yield* core.permitFreed.version
      const outcome = yield* Effect.either(resume(run.id))
      if (outcome._tag === "Right") return "done"
      switch (outcome.left._tag) {
        case "MaxJobsReached":
          yield* core.permitFreed.changed(free)
          break
        case "JobConflict":
          return "conflict"
        case "StoreError":
          return yield* outcome.left
        default:
          // It was continued, cancelled or failed meanwhile, or the manager closes.
          return "done"
      }
    }
  }).pipe(
    Effect.catchAllDefect((defect) =>
      Effect.as(Effect.logError(`job ${run.id} could not be continued`, Cause.die(defect)), "done" as const)
    ),
    Effect.annotateLogs({ jobId: run.id })
  )
