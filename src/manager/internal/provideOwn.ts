/**
 * The services of a job: the services of the layer that made its orchestrator, the job's scope and span, and nothing from around
 * the manager.
 */
import { Context, Effect, Option, Scope, Tracer } from "effect"

export const provideOwn = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  own: Context.Context<Exclude<R, Scope.Scope>>
): Effect.Effect<A, E, Scope.Scope> =>
  Effect.mapInputContext(effect, (job: Context.Context<Scope.Scope>) => {
    // The span around the build of the layer has ended with it.
    const services = Context.omit(Tracer.ParentSpan)(own).pipe(Context.add(Scope.Scope, Context.get(job, Scope.Scope)))
    const span = Context.getOption(job, Tracer.ParentSpan)
    const all = Option.isNone(span) ? services : Context.add(services, Tracer.ParentSpan, span.value)
    // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: Exclude<R, Scope> and Scope make R
    return all as Context.Context<unknown> as Context.Context<R>
  })
