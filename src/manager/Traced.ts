/**
 * Spans for whoever traces. Effect's own tracer keeps them for nobody, and to make one takes as long as a statement of SQL.
 */
import { Context, DefaultServices, Effect, Tracer } from "effect"

const silent = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** Whether there is anybody who keeps spans. */
export const isTraced: Effect.Effect<boolean> = Effect.withFiberRuntime((fiber) =>
  Effect.succeed(fiber.currentTracer !== silent)
)

export const traced =
  (name: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withFiberRuntime((fiber) => (fiber.currentTracer === silent ? effect : Effect.withSpan(effect, name)))
