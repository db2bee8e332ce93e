/**
 * Where a crash would come between two things: before and after each commit, each start of a child process, and each step
 * of git. Nothing is done there, and it costs nothing: a test of crashes puts its own in place, and ends the process at the
 * point that it has chosen.
 */
import { Context, type Effect } from "effect"

export interface Service {
  /** The effect, with the points before and after it, which go by these names; asked for only where somebody listens. */
  readonly around: <A, E, R>(
    names: () => ReadonlyArray<string>,
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
}

export class Failpoint extends Context.Reference<Failpoint>()("charlotte/Failpoint", {
  defaultValue: (): Service => ({ around: (_, effect) => effect })
}) {}
