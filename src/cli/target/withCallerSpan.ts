import { Effect, Option } from "effect"
import * as Tracing from "../../internal/Tracing.js"
import { ParentEnvironment } from "../../process/ChildEnvironment.js"

/** Starts a job with the span in `TRACEPARENT` as its parent, such as the span of a CI step, so that the job is linked to it. */
export const withCallerSpan = <A, E, R>(start: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(ParentEnvironment, ({ TRACEPARENT }) =>
    Option.match(Tracing.parse(TRACEPARENT), {
      onNone: () => start,
      onSome: (span) => Effect.withParentSpan(start, span)
    })
  )
