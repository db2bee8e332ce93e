/**
 * Taking over from a manager that has ended, or died.
 */
import { Cause, DateTime, Effect, Exit, Option } from "effect"
import { AlreadyManaged, type JobConflict, type MaxJobsReached, StoreError } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type { RunError } from "../domain/Run.js"
import type { Owner } from "../store/Owners.js"
import type { Change, Service as Store, UnfinishedRun } from "../store/Port.js"
import { KernelRef } from "../store/ProcessIdentity.js"
import type { Signal } from "../store/Signals.js"
import { WallClock } from "../store/WallClock.js"
import type { Service as Orchestrator } from "./Orchestrator.js"
import { recoveryError } from "./Outcome.js"
import * as Together from "./Together.js"

/** Managers that have ended here and could not say so in the database: their process lives, and they do not. */
const departed = new Set<string>()

/** Becomes the owner of the kind, unless a live one is there. */
export const claim = (store: Store, kind: string, id: string): Effect.Effect<Owner, AlreadyManaged | StoreError> =>
  Effect.gen(function* () {
    const kernel = yield* KernelRef
    const owner: Owner = { kind, id, process: kernel.self }
    const current = yield* store.owners.get(kind)
    if (Option.isSome(current) && !departed.has(current.value.id) && (yield* kernel.isAlive(current.value.process))) {
      return yield* new AlreadyManaged({ kind, pid: current.value.process.pid })
    }
    // Another manager may have been faster: then it is the one to look at.
    return (yield* store.owners.claim(owner, current)) ? owner : yield* claim(store, kind, id)
  })

/** Gives the kind up. Where that cannot be recorded, at least the next manager of this process knows. */
export const release = (store: Store, owner: Owner): Effect.Effect<void> =>
  Effect.suspend(() => {
    departed.add(owner.id)
    return Effect.map(store.owners.release(owner), () => void departed.delete(owner.id))
  }).pipe(Effect.ignoreLogged)

/** Clears away what is left of the processes of a job. */
const clear = (
  { orchestrator }: { readonly orchestrator: Pick<Orchestrator<never>, "recover"> },
  id: JobId
): Effect.Effect<Exit.Exit<void, unknown>, StoreError> =>
  Effect.flatMap(Effect.exit(orchestrator.recover?.(id) ?? Effect.void), (cleared) => {
    // What a failing store does not tell may still run: it is for the next manager to clear it away.
    const failure = Exit.isFailure(cleared) ? Cause.failureOption(cleared.cause) : Option.none()
    return Option.isSome(failure) && failure.value instanceof StoreError ? failure.value : Effect.succeed(cleared)
  })

/** So many crashes in a row, without an event of the orchestrator between, and a job is not continued. */
const crashLimit = 3

const pageSize = 200
const inParallel = 32

/**
 * Every run of the kind that is not over belongs to a manager that is gone. Those that it left `running` are marked: as
 * `interrupted`, or as ended where they cannot or should not go on. Gives the interrupted ones, oldest first.
 */
export const takeOver = (options: {
  readonly kind: string
  readonly store: Store
  readonly orchestrator: Pick<Orchestrator<never>, "recover">
}): Effect.Effect<ReadonlyArray<JobId>, StoreError> => {
  const { kind, store } = options

  /** Tells whether the run is to be continued. */
  const mark = ({ crashes, run, stopping }: UnfinishedRun) =>
    Effect.gen(function* () {
      const { attempt, id: jobId, status } = run
      const record = (change: Pick<Change, "type" | "crashed" | "error">) =>
        Effect.flatMap(DateTime.now, (at) => store.record({ ...change, jobId, attempt, at }))
      const fail = (error: RunError) => Effect.as(record({ type: "job.failed", error }), false)

      if (status === "running") {
        const cleared = yield* clear(options, jobId)
        if (Exit.isFailure(cleared))
          return yield* fail(recoveryError("what the crash left of it could not be cleared away", cleared.cause))
        if (stopping) return yield* Effect.as(record({ type: "job.cancelled" }), false)
        yield* record({ type: "job.interrupted", crashed: true })
      }
      // Counted for an interrupted run too: this manager's predecessor may have died between these two writes.
      return crashes + (status === "running" ? 1 : 0) < crashLimit
        ? true
        : yield* fail(
            recoveryError(`it crashed ${crashLimit} times in a row, without an event of the orchestrator between`)
          )
    }).pipe(
      // Nobody else writes for this kind: whoever did lost the claim.
      Effect.catchTag("Superseded", (error) => Effect.as(Effect.logWarning(error.message), false)),
      Effect.annotateLogs({ jobId: run.id })
    )

  const from = (after: JobId | undefined): Effect.Effect<ReadonlyArray<JobId>, StoreError> =>
    Effect.gen(function* () {
      const page = yield* store.unfinished({ kind, limit: pageSize, ...(after === undefined ? {} : { after }) })
      const last = page.at(-1)
      if (last === undefined) return []
      const goingOn = new Set<JobId>()
      // Each takes the next one that nobody has taken yet.
      const runs = page.values()
      const markSome = Effect.gen(function* () {
        for (const unfinished of runs) if (yield* mark(unfinished)) goingOn.add(unfinished.run.id)
      })
      yield* Together.all(Array.from({ length: Math.min(inParallel, page.length) }, () => markSome))
      const ids = page.map(({ run }) => run.id).filter((id) => goingOn.has(id))
      return [...ids, ...(yield* from(last.run.id))]
    })

  /** A run that came to rest may have left processes too, where it could not be recorded that they have ended. */
  const clearOthers = Effect.gen(function* () {
    for (const id of yield* store.attempts.leftBy(kind)) {
      const cleared = yield* clear(options, id)
      if (Exit.isFailure(cleared))
        yield* Effect.annotateLogs(
          Effect.logWarning(`what job ${id} may have left running could not be cleared away`, cleared.cause),
          { jobId: id }
        )
    }
  })

  return Effect.zipLeft(from(undefined), clearOthers)
}

export interface Continuation {
  /** The runs of the dead manager that are still interrupted, whatever became of the others. */
  readonly waiting: Effect.Effect<ReadonlyArray<JobId>>
  /** Continues them, oldest first, as permits become free. Ends when none waits. */
  readonly run: Effect.Effect<void>
}

/** Pause after a failure of the store, in milliseconds. */
const pause = 500

export const makeContinuation = (options: {
  readonly interrupted: ReadonlyArray<JobId>
  readonly resume: (
    id: JobId
  ) => Effect.Effect<void, MaxJobsReached | JobConflict | StoreError | { readonly _tag: string }>
  readonly isInterrupted: (id: JobId) => Effect.Effect<boolean>
  /** Rises whenever a permit is back. */
  readonly freed: Signal
  /** Rises whenever a job has ended. */
  readonly ended: Signal
}): Effect.Effect<Continuation> =>
  Effect.map(WallClock, (clock) => {
    const { ended, freed, interrupted, isInterrupted, resume } = options
    const waiting = new Set(interrupted)

    /** Tells what to do with the others. */
    const next = (id: JobId): Effect.Effect<"go on" | "wait" | "pause"> =>
      Effect.matchCauseEffect(resume(id), {
        onSuccess: () => Effect.succeed("done" as const),
        onFailure: (cause) =>
          Option.match(Cause.failureOption(cause), {
            onNone: () => Effect.as(Effect.logError(`job ${id} could not be continued`, cause), "done" as const),
            onSome: (error) => {
              switch (error._tag) {
                case "MaxJobsReached":
                  return Effect.succeed("wait" as const)
                case "JobConflict":
                  return Effect.succeed("go on" as const)
                case "StoreError":
                  return Effect.as(Effect.logWarning(`job ${id} could not be continued yet`, cause), "pause" as const)
                default:
                  return Effect.succeed("done" as const)
              }
            }
          })
      }).pipe(
        Effect.map((answer) => {
          if (answer !== "done") return answer
          waiting.delete(id)
          return "go on"
        }),
        Effect.annotateLogs({ jobId: id })
      )

    const run: Effect.Effect<void> = Effect.gen(function* () {
      while (waiting.size > 0) {
        const free = yield* freed.version
        const end = yield* ended.version
        let answer: "go on" | "wait" | "pause" = "go on"
        for (const id of [...waiting]) {
          answer = yield* next(id)
          if (answer !== "go on") break
        }
        if (answer === "pause") yield* clock.sleep(pause)
        else if (answer === "wait") yield* freed.changed(free)
        // Those that are left wait for the keys of other jobs. Each attempt gives its own permit back: that is no news.
        else if (waiting.size > 0) yield* ended.changed(end)
      }
    })

    return { waiting: Effect.suspend(() => Effect.filter(waiting, isInterrupted)), run }
  })
