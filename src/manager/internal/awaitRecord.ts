/**
 * Waits for the end of a job whose manager may be in another process.
 */
import { Effect, type Scope } from "effect"
import type { Run } from "../../domain/Run.js"
import { isTerminal } from "../../domain/RunStatus.js"
import type { Notifier } from "../../store/port/ChangeNotifier.js"
import type { Shutdown } from "./Shutdown.js"

/** Returns the record once the job has ended, or the manager or producer that waits is closed. */
export const awaitRecord = <E, E2>({
  changes,
  record,
  shutdown
}: {
  readonly changes: Effect.Effect<Notifier, E2, Scope.Scope>
  readonly record: Effect.Effect<Run, E>
  readonly shutdown: Shutdown
}): Effect.Effect<Run, E | E2> =>
  Effect.gen(function* () {
    const signal = yield* changes
    while (true) {
      const version = yield* signal.version
      const run = yield* record
      if (isTerminal(run.status) || (yield* shutdown.isOver)) return run
      yield* shutdown.orOver(signal.changed(version))
    }
  }).pipe(Effect.scoped)
