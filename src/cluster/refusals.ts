/**
 * Runs that this version of a kind cannot decode. Its nodes no longer see them as due; a node of another version begins them, regardless
 * of their shard. If none has after ten minutes, they fail, even if such a node is alive.
 */
import { Array, Cause, Context, Duration, Effect, Option, type Scope } from "effect"
import { Parked } from "../domain/Run.js"
import * as background from "../internal/background.js"
import type { Others } from "../manager/internal/Core.js"
import { recoveryError } from "../manager/internal/JobOutcome.js"
import { survivingFailures } from "../manager/internal/survivingFailures.js"
import type { Runner, Service as Store } from "../store/port/RunStoreService.js"

/** How long a run that was refused waits for a node of another version. */
export class RefusalTime extends Context.Reference<RefusalTime>()("charlotte/RefusalTime", {
  defaultValue: (): Duration.DurationInput => "10 minutes"
}) {}

/** How often a node looks for runs that were refused that long ago. */
const interval = "5 seconds"

/** How many due runs are decoded at once when one of them does not decode: after a change of a kind, many may not. */
const lookAhead = 200

interface Node {
  readonly kind: string
  readonly version: string
  readonly runner: Runner
  /** The statuses of the runs that nodes begin by themselves. */
  readonly statuses: Parameters<Store["due"]>[0]["statuses"]
  readonly store: Store
}

export const refuse =
  ({ kind, runner, statuses, store, version }: Node): Others["refuse"] =>
  (run, reason, problem) =>
    Effect.gen(function* () {
      const { attempt, id: jobId, status } = run
      yield* Effect.logWarning(`version ${version} of kind "${kind}" cannot decode job ${jobId}: ${reason}`)
      // The attempt was placed here, and has not begun: the run waits again, also under manual recovery.
      if (status === "running") {
        yield* store.cluster.take({ jobId, attempt }, runner)
        const at = yield* store.now
        const parked = new Parked({ reason: `version ${version} of its kind cannot decode it: ${reason}`, until: at })
        yield* store.record({ type: "job.parked", jobId, attempt, at, parked })
      }
      const due = yield* store.due({ kind, statuses, limit: lookAhead, version })
      const others = yield* Effect.forEach(due, ({ run: { config, id } }) =>
        Effect.map(
          problem(config),
          Option.map(({ message }) => ({ jobId: id, reason: message }))
        )
      )
      yield* store.cluster.refuse(version, [{ jobId, reason }, ...Array.getSomes(others)])
    }).pipe(Effect.annotateLogs({ jobId: run.id }))

/** Fails runs that no node has begun in time since they were refused. */
export const failRefused = (
  { kind, store }: Pick<Node, "kind" | "store">,
  isFresh: Effect.Effect<boolean>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const millis = Duration.toMillis(yield* RefusalTime)
    const fail = Effect.gen(function* () {
      for (const { attempt, id: jobId, refusedBy = {} } of yield* store.cluster.refused({ kind, millis })) {
        const [reason = "it does not decode"] = Object.values(refusedBy)
        const error = recoveryError(reason, Cause.empty)
        yield* store
          .record({ type: "job.failed", jobId, attempt, at: yield* store.now, error, ofWaiting: true })
          .pipe(Effect.catchTag("Superseded", () => Effect.void))
      }
    })
    yield* background.fork(
      Effect.sleep(interval).pipe(
        Effect.zipRight(Effect.if(isFresh, { onTrue: () => fail, onFalse: () => Effect.void })),
        survivingFailures("jobs that no node can decode could not be failed yet"),
        Effect.forever
      )
    )
  })
