/**
 * Removes jobs that are over, with all that is recorded of them. A job is hidden with its whole chain first; what it has left is deleted
 * by a fiber of the manager, so that it goes on if its caller is interrupted.
 */
import { Deferred, Effect, Option, Stream } from "effect"
import type { RemoveError, ShuttingDown, StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import * as JobIds from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import type { Sender } from "../../domain/Sender.js"
import * as Senders from "../../domain/Sender.js"
import * as Tracing from "../../internal/Tracing.js"
import type { RemoveOptions, RemoveProgress, RemoveQuery } from "../JobManagerService.js"
import type { Rule } from "../../store/port/RunStoreService.js"
import type { Core } from "./Core.js"
import { eachMatching, refusals } from "./eachMatching.js"
import { stopJob } from "./stopJob.js"

export interface Removal<in out Config> {
  readonly core: Core<Config>
  readonly forget: Rule["forget"]
  /** Forks the deletion, which outlives its caller, and ends with the manager at the latest. */
  readonly fork: (deletion: Effect.Effect<unknown>) => Effect.Effect<unknown>
}

/** Hides a run with its chain, and returns the runs that are to be deleted. */
const hide = <Config>(
  { kind, store }: Core<Config>,
  jobId: JobId,
  { pinned = false }: Pick<RemoveOptions, "pinned">,
  sender: Sender | undefined
) => Effect.flatMap(store.now, (at) => store.remove({ kind, jobId, isPinnedToo: pinned, by: sender?.by, at }))

/** Deletes what is hidden, and waits for it. */
const deleting = <Config, A, E>(
  { core, forget, fork }: Removal<Config>,
  hidden: Effect.Effect<readonly [result: A, ids: ReadonlyArray<JobId>], E>
): Effect.Effect<A, E | StoreError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const [result, ids] = yield* hidden
      if (ids.length === 0) return result
      const done = yield* Deferred.make<void, StoreError>()
      yield* fork(Effect.intoDeferred(core.store.deleteHidden({ forget }, ids), done))
      yield* restore(Deferred.await(done))
      return result
    })
  )

export const removeJob = <Config>(
  removal: Removal<Config>,
  id: JobId,
  { by, stop = false, ...options }: RemoveOptions = {}
): Effect.Effect<void, RemoveError> =>
  Effect.gen(function* () {
    const { core } = removal
    yield* core.store.outsideTransaction
    const sender = yield* Senders.current(by)
    const remove = deleting(
      removal,
      Effect.map(hide(core, id, options, sender), (ids) => [undefined, ids])
    )
    yield* Effect.catchTag(remove, "NotRemovable", (refused) => {
      if (!stop || refused.reason !== "active") return refused
      const active = JobIds.make(refused.other ?? id)
      return Effect.zipRight(stopJob(core, active, { grace: core.stopGrace, sender }), remove)
    })
  }).pipe(Tracing.traced("JobManager.remove"))

/** How many runs are hidden in one transaction, which then takes a few milliseconds. */
const together = 25

const statuses = ["completed", "failed", "cancelled"] as const

/** Removes all runs that are over, that match and that no run retries, each with its chain, from the newest on. */
export const removeMany = <Config>(
  removal: Removal<Config>,
  { by, pinned, ...query }: RemoveQuery
): Stream.Stream<RemoveProgress, StoreError | ShuttingDown> => {
  const { core } = removal
  const act = (runs: ReadonlyArray<Run>) =>
    Effect.gen(function* () {
      const sender = yield* Senders.current(by)
      const hidden: Array<JobId> = []
      const refusalOf = ({ id }: Run): Effect.Effect<Option.Option<Error>, StoreError> =>
        hide(core, id, { pinned }, sender).pipe(
          Effect.map((ids) => {
            hidden.push(...ids)
            return Option.none()
          }),
          Effect.catchTags({
            // Another caller has pruned it meanwhile.
            JobNotFound: () => Effect.succeedNone,
            NotRemovable: (error) => Effect.succeedSome(error)
          })
        )
      // What is hidden is deleted even if another run could not be hidden.
      const refused = yield* Effect.exit(refusals(runs, refusalOf, together))
      return [refused, hidden] as const
    })
  const progress = eachMatching(core, query, {
    verb: "remove",
    statuses,
    act: (runs) => Effect.flatten(deleting(removal, act(runs)))
  })
  return Stream.map(progress, ({ done: removed, ...rest }) => ({ removed, ...rest }))
}
