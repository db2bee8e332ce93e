/**
 * Failpoints before and after each commit, each start of a child process, and each step of git. By default they do nothing;
 * a crash test replaces the service, and exits the process at the chosen point.
 */
import { Context, type Effect } from "effect"

export interface Service {
  /** Wraps an effect with failpoints before and after it. `names` is lazy, since the default does not need them. */
  readonly around: <A, E, R>(
    names: () => ReadonlyArray<string>,
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
}

export class Failpoint extends Context.Reference<Failpoint>()("charlotte/Failpoint", {
  defaultValue: (): Service => ({ around: (_, effect) => effect })
}) {}
