/**
 * Prunes the finished runs of a kind: at start-up, when the next one is too old, and every 10 minutes of real time for changes
 * without a notification, such as a run that was unpinned. Under a `TestClock`, time passes at once where nothing is to be pruned. Nothing
 * is pruned while the clock may be wrong.
 */
import { Cause, DateTime, Duration, Effect, Exit, Option, type Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { Retention } from "../../domain/Retention.js"
import * as background from "../../internal/background.js"
import * as race from "../../internal/race.js"
import { RealClock } from "../../internal/RealClock.js"
import type { Rule } from "../../store/port/RunStoreService.js"
import { ages } from "../../store/rules/Pruning.js"
import * as ClockJumps from "./ClockJumps.js"
import type { Core } from "./Core.js"

/** The pause after a pruning. */
const interval = Duration.minutes(10)

export const keepRetention = <Config>(
  { kind, store }: Core<Config>,
  retention: Retention,
  forget: Rule["forget"]
): Effect.Effect<void, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const { sleep } = yield* RealClock
    yield* store.retain({ kind, retention, forget })
    const changes = yield* store.changes()
    const untilBelieved = yield* ClockJumps.make(store.now, yield* store.latestId)

    /** Returns when to prune next. */
    const prune = Effect.gen(function* () {
      const doubted = yield* untilBelieved
      if (Option.isSome(doubted)) return doubted
      for (const { runs } of yield* store.prune({ kind })) {
        yield* Effect.logInfo(`pruned ${runs} finished ${runs === 1 ? "run" : "runs"}`)
      }
      return yield* store.nextExpiry(kind)
    })

    /** The shortest time for which a run that ends from now on is kept. */
    const shortest =
      retention.maxRuns === undefined
        ? ages(retention).reduce((least, { age }) => Duration.min(least, age), Duration.infinity)
        : Duration.zero
    const pause = (wanted: Duration.Duration) => Effect.sleep(Duration.max(wanted, interval))
    const sleepUntil = (expiry: DateTime.Utc) =>
      Effect.flatMap(store.now, (now) => pause(Duration.millis(DateTime.distance(now, expiry))))

    const pruneAndWait = Effect.gen(function* () {
      const version = yield* changes.version
      const pruned = yield* Effect.exit(prune)
      if (Exit.isFailure(pruned)) {
        if (Cause.isInterrupted(pruned.cause)) return yield* Effect.interrupt
        yield* Effect.logWarning("finished runs could not be pruned yet", pruned.cause)
      }
      yield* race.first([
        Exit.match(pruned, {
          onFailure: () => Effect.sleep(interval),
          onSuccess: Option.match({ onNone: () => Effect.never, onSome: sleepUntil })
        }),
        Effect.zipRight(changes.changed(version), pause(shortest)),
        sleep(Duration.toMillis(interval))
      ])
    })
    yield* pruneAndWait.pipe(Effect.forever, Effect.annotateLogs({ module: "Retention", kind }), background.fork)
  })
