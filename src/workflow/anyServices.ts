import type { Effect } from "effect"

/** Workflows and their schemas get their services from the fiber, as the types of the engine say. */
export const anyServices = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E> =>
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the engine's interface hides what its types ask for
  effect as Effect.Effect<A, E>
