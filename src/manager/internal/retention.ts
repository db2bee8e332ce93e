/**
 * Prunes the finished runs of a kind, at start-up and every 10 minutes.
 */
import { Cause, Effect, Schedule, type Scope } from "effect"
import type { JobId } from "../../domain/JobId.js"
import type { Retention } from "../../domain/Retention.js"
import * as background from "../../internal/background.js"
import type { Core } from "./Core.js"

const interval = "10 minutes"

export const keepRetention = <Config>(
  { kind, store }: Core<Config>,
  retention: Retention,
  forget: (id: JobId) => Effect.Effect<void, unknown>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    yield* store.retain({ kind, retention, forget })
    const prune = Effect.flatMap(store.prune({ kind }), (pruned) =>
      Effect.forEach(pruned, ({ runs }) => Effect.logInfo(`pruned ${runs} finished ${runs === 1 ? "run" : "runs"}`))
    )
    yield* prune.pipe(
      Effect.catchAllCause((cause) =>
        Cause.isInterrupted(cause)
          ? Effect.interrupt
          : Effect.logWarning("finished runs could not be pruned yet", cause)
      ),
      Effect.repeat(Schedule.spaced(interval)),
      Effect.annotateLogs({ module: "Retention", kind }),
      background.fork
    )
  })
