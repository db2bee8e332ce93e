/**
 * The spans of jobs: their names, the trace of a job, and how it reaches child processes.
 *
 * Spans are created only if a tracer is installed. Effect's default tracer exports none, and creating them costs up to 60 µs per
 * job (`npm run bench -- lifecycle`).
 */
import { Clock, Context, DefaultServices, Effect, Exit, Option, Tracer } from "effect"

const defaultTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

export const isTraced: Effect.Effect<boolean> = Effect.withFiberRuntime((fiber) =>
  Effect.succeed(fiber.currentTracer !== defaultTracer)
)

/** The name of the span of an attempt at a job, which is a root unless an earlier attempt was traced. */
export const job = "job"

/** The name of the span of a step, inside the span of a job. */
export const step = "step"

/** The names of the spans inside the span of a job of tasks, from the outer to the inner; below `attempt`, the spans of its commands. */
export const unit = "unit"
export const merge = "merge"
export const task = "task"
export const attempt = "attempt"
export type Command = "agent" | "gate" | "setup" | "baseline"

/** `Effect.withSpan` if a tracer is installed; otherwise the effect itself. */
export const traced =
  (name: string, options?: Tracer.SpanOptions) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withFiberRuntime((fiber) =>
      fiber.currentTracer === defaultTracer ? effect : Effect.withSpan(effect, name, options)
    )

/** Runs an effect in a span, and ends the span. */
export const within =
  <A>(span: Tracer.Span, failure: (value: A) => string | undefined = () => undefined) =>
  <E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.onExit(Effect.withParentSpan(effect, span), (exit) => {
      const reason = Exit.isSuccess(exit) ? failure(exit.value) : undefined
      return Effect.map(Clock.currentTimeNanos, (now) => span.end(now, reason === undefined ? exit : Exit.fail(reason)))
    })

/** `traced` for an effect that returns its failure as a success value. */
export const tracedResult =
  <A>(name: string, failure: (value: A) => string | undefined, options?: Tracer.SpanOptions) =>
  <E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(isTraced, (traced) =>
      traced ? Effect.flatMap(Effect.makeSpan(name, options), (span) => within(span, failure)(effect)) : effect
    )

/** Adds an event with its duration in milliseconds to the span around it, if there is one. */
export const tracedAsEvent =
  (name: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withFiberRuntime((fiber) => {
      const span = Context.getOption(fiber.currentContext, Tracer.ParentSpan)
      if (fiber.currentTracer === defaultTracer || Option.isNone(span) || span.value._tag === "ExternalSpan")
        return effect
      const { event } = span.value
      return Effect.flatMap(Clock.currentTimeNanos, (began) =>
        Effect.onExit(effect, (exit) =>
          Effect.map(Clock.currentTimeNanos, (ended) =>
            event.call(span.value, name, began, { duration: Number(ended - began) / 1e6, outcome: exit._tag })
          )
        )
      )
    })

/** The format of a W3C `traceparent`, such as `00-<trace>-<span>-01`. */
const format = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** The `traceparent` of a span; none if its tracer uses ids of another format. */
export const traceparent = ({ sampled, spanId, traceId }: Tracer.AnySpan): Option.Option<string> =>
  Option.liftPredicate(`00-${traceId}-${spanId}-${sampled ? "01" : "00"}`, (text) => format.test(text))

export const parse = (traceparent: string | undefined): Option.Option<Tracer.ExternalSpan> => {
  const [, traceId, spanId, flags] = format.exec(traceparent ?? "") ?? []
  return traceId === undefined || spanId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId)
    ? Option.none()
    : Option.some(Tracer.externalSpan({ traceId, spanId, sampled: (parseInt(flags ?? "", 16) & 1) === 1 }))
}

/** The environment variables with which a child process continues the trace of the current span. */
export const childVariables: Effect.Effect<{ readonly TRACEPARENT?: string }> = Effect.withFiberRuntime((fiber) =>
  Effect.succeed(
    fiber.currentTracer === defaultTracer
      ? {}
      : Context.getOption(fiber.currentContext, Tracer.ParentSpan).pipe(
          Option.flatMap(traceparent),
          Option.match({ onNone: () => ({}), onSome: (TRACEPARENT) => ({ TRACEPARENT }) })
        )
  )
)

/** The `traceparent` of another program's span, passed on if no tracer is installed that would do so. */
export const remote: Effect.Effect<Option.Option<string>> = Effect.withFiberRuntime((fiber) =>
  Effect.succeed(
    fiber.currentTracer !== defaultTracer || fiber.currentSpan?._tag !== "ExternalSpan"
      ? Option.none()
      : traceparent(fiber.currentSpan)
  )
)

const orRemote = (span: Tracer.AnySpan): Tracer.AnySpan => {
  for (let current = span; ;) {
    if (current._tag === "ExternalSpan") return current
    // The spans around a job do not start the jobs that it starts.
    if (current.name === job || Option.isNone(current.parent)) return span
    current = current.parent.value
  }
}

/** The span that starts a job: the span that another program has sent with the request, or the current one. */
export const caller: Effect.Effect<Option.Option<Tracer.AnySpan>> = Effect.withFiberRuntime((fiber) =>
  Effect.succeed(
    fiber.currentTracer === defaultTracer
      ? Option.none()
      : Option.map(Context.getOption(fiber.currentContext, Tracer.ParentSpan), orRemote)
  )
)
