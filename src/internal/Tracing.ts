/**
 * Spans only where they are kept. Effect's own tracer keeps none, and making one takes up to 60 µs of a job
 * (`npm run bench -- lifecycle`).
 */
import { Context, DefaultServices, Effect, Tracer } from "effect"

const silent = Context.get(DefaultServices.liveServices, Tracer.Tracer)

export const isTraced: Effect.Effect<boolean> = Effect.withFiberRuntime((fiber) =>
  Effect.succeed(fiber.currentTracer !== silent)
)

/** As `Effect.withSpan`, where spans are kept. */
export const traced =
  (name: string, options?: Tracer.SpanOptions) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withFiberRuntime((fiber) =>
      fiber.currentTracer === silent ? effect : Effect.withSpan(effect, name, options)
    )
