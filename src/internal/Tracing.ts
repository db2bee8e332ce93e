/**
 * Creates spans only if a tracer is installed. Effect's default tracer exports none, and creating them costs up to 60 µs per
 * job (`npm run bench -- lifecycle`).
 */
import { Context, DefaultServices, Effect, Tracer } from "effect"

const defaultTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

export const isTraced: Effect.Effect<boolean> = Effect.withFiberRuntime((fiber) =>
  Effect.succeed(fiber.currentTracer !== defaultTracer)
)

/** `Effect.withSpan` if a tracer is installed; otherwise the effect itself. */
export const traced =
  (name: string, options?: Tracer.SpanOptions) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withFiberRuntime((fiber) =>
      fiber.currentTracer === defaultTracer ? effect : Effect.withSpan(effect, name, options)
    )
