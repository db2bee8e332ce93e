/**
 * Calls `onEnd` of a kind with every run that has ended: a subscriber of the events that end jobs.
 */
import { Cause, Duration, Effect, Option, type Scope } from "effect"
import type { StoreError, UndecodableRun } from "../../domain/errors.js"
import { lifecycle } from "../../domain/JobEvent.js"
import type { Run } from "../../domain/Run.js"
import { isTerminal } from "../../domain/RunStatus.js"
import { RunStore } from "../../store/RunStore.js"
import { subscribe } from "./subscribe.js"

/** The order of ends means nothing, so that a run for which `onEnd` fails holds up no other. */
const concurrency = 10

const types = Object.entries(lifecycle).flatMap(([type, status]) => (isTerminal(status) ? [type] : []))

export const subscribeToEnds = <A, R>(
  kind: string,
  decode: (run: Run) => Effect.Effect<A, UndecodableRun>,
  onEnd: (run: A) => Effect.Effect<void, unknown, R>
): Effect.Effect<void, StoreError, RunStore | R | Scope.Scope> =>
  Effect.gen(function* () {
    const store = yield* RunStore
    const name = `${kind}.on-end`

    const skip = (error: UndecodableRun) =>
      Effect.zipRight(
        Effect.logWarning("onEnd is not called for a run that no longer decodes", Cause.fail(error)),
        store.subscribers.skipped(name)
      )

    yield* subscribe(store, {
      name,
      kinds: [kind],
      types,
      from: "now",
      concurrency,
      giveUp: Duration.hours(24),
      hold: Duration.days(7),
      handler: (item) =>
        item._tag === "Gap"
          ? Effect.logWarning(
              `onEnd is not called for runs that were pruned: their events are ${item.from} to ${item.to}`
            )
          : Effect.flatMap(
              store.get(item.event.jobId),
              Option.match({
                onNone: () => Effect.void,
                onSome: (run) => Effect.matchEffect(decode(run), { onFailure: skip, onSuccess: onEnd })
              })
            )
    })
  })
