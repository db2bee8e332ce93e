/**
 * The span of an attempt at a job. The first span is a root, linked to the span that started the job; later spans are in its trace,
 * so that the trace continues after a restart or a park, and on another machine.
 */
import { Effect, Option, type Tracer } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { RunTrace } from "../../domain/Run.js"
import * as Tracing from "../../internal/Tracing.js"

export interface JobSpan {
  readonly span: Tracer.Span
  /** The trace to record with the beginning of the attempt; undefined if it is unchanged. */
  readonly trace: RunTrace | undefined
}

/** The trace to record for a run whose first attempt has not begun. */
export const traceOf = (caller: Option.Option<Tracer.AnySpan>): RunTrace | undefined =>
  Option.match(Option.flatMap(caller, Tracing.traceparent), {
    onNone: () => undefined,
    onSome: (startedBy) => new RunTrace({ startedBy }, { disableValidation: true })
  })

const link = (span: Tracer.AnySpan): Tracer.SpanLink => ({ _tag: "SpanLink", span, attributes: {} })

/** Makes the span; none without a tracer. `within` ends it. */
export const make = ({
  attempt,
  caller,
  id,
  kind,
  trace = new RunTrace({}, { disableValidation: true })
}: {
  readonly id: JobId
  readonly kind: string
  readonly attempt: number
  /** The recorded trace of the run. */
  readonly trace: RunTrace | undefined
  /** The span that starts or resumes the job. */
  readonly caller: Option.Option<Tracer.AnySpan>
}): Effect.Effect<Option.Option<JobSpan>> =>
  Effect.gen(function* () {
    const parent = Tracing.parse(trace.root)
    const isKnown = ({ spanId }: Tracer.AnySpan) => Option.exists(caller, (caller) => caller.spanId === spanId)
    const startedBy = Option.filter(Tracing.parse(trace.startedBy), (span) => !isKnown(span))
    const span = yield* Effect.makeSpan(Tracing.job, {
      ...(Option.isSome(parent) ? { parent: parent.value } : { root: true }),
      links: [...Option.toArray(startedBy), ...Option.toArray(caller)].map(link),
      attributes: { jobId: id, kind, attempt, "cicd.pipeline.name": kind, "cicd.pipeline.run.id": id }
    })
    const root = Option.isSome(parent) ? Option.none() : Tracing.traceparent(span)
    return {
      span,
      trace: Option.match(root, {
        onNone: () => undefined,
        onSome: (root) => new RunTrace({ ...trace, root }, { disableValidation: true })
      })
    }
  }).pipe(Effect.whenEffect(Tracing.isTraced))

/** Runs the work of an attempt in its span. */
export const within =
  (made: Option.Option<JobSpan>) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Option.match(made, {
      onNone: () => work,
      onSome: ({ span }) => Tracing.within<A>(span)(work)
    })
