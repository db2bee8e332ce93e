/**
 * Whether spans are kept. Effect's own tracer keeps none.
 */
import { Context, DefaultServices, Effect, Tracer } from "effect"

const silent = Context.get(DefaultServices.liveServices, Tracer.Tracer)

export const isTraced: Effect.Effect<boolean> = Effect.withFiberRuntime((fiber) =>
  Effect.succeed(fiber.currentTracer !== silent)
)
