/**
 * Applies what producers have recorded, in this process or in another one: signals for jobs, and jobs to stop. Each request is removed
 * once it is applied, so the next manager applies what this one leaves.
 */
import { Cause, Effect, Option, type Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { now } from "../../internal/now.js"
import { RealClock } from "../../internal/RealClock.js"
import type { NewStop, Request } from "../../store/port/ProducerStore.js"
import type { Core } from "./Core.js"
import { limit } from "./signals.js"
import { stopJob } from "./stopJob.js"

/** Milliseconds to wait after a failure of the store. */
const pause = 500

/** Returns the effect that applies requests until the manager closes. */
export const make = <Config>(
  core: Core<Config>,
  /** Tells the node of a job that it has a new signal. */
  wake: (id: JobId) => Effect.Effect<void>
): Effect.Effect<Effect.Effect<void>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { kind, shutdown, store } = core
    const { sleep } = yield* RealClock
    const submitted = yield* store.producers.submitted(kind)
    /** The requests whose jobs are being stopped. */
    const stopping = new Set<number>()

    const refused = ({ jobId }: Request, error: unknown) =>
      Effect.annotateLogs(Effect.logWarning("a request of a producer is dropped", error), { jobId })

    const stop = (request: Request, { by, grace = core.stopGrace }: Pick<NewStop, "by" | "grace">) =>
      Effect.gen(function* () {
        stopping.add(request.seq)
        const stopped: Effect.Effect<void> = stopJob(core, request.jobId, { grace, by }).pipe(
          Effect.catchTags({
            JobNotFound: () => Effect.void,
            // It ends later: the intent is recorded.
            StopTimedOut: (error) => Effect.annotateLogs(Effect.logWarning(error.message), { jobId: request.jobId })
          }),
          Effect.zipRight(store.producers.settle(request)),
          // The next manager applies what a closing one leaves.
          Effect.catchAll((error) =>
            error.reason === "closed"
              ? Effect.void
              : report(Cause.fail(error)).pipe(
                  Effect.zipRight(sleep(pause)),
                  Effect.zipRight(Effect.unlessEffect(stopped, shutdown.hasBegun))
                )
          )
        )
        yield* core.fork(
          Effect.ensuring(
            stopped,
            Effect.sync(() => stopping.delete(request.seq))
          )
        )
      })

    const apply = (request: Request): Effect.Effect<void, StoreError> =>
      Option.match(request.asks, {
        onNone: () =>
          Effect.zipRight(refused(request, "a later version has recorded it"), store.producers.settle(request)),
        onSome: (ask) => {
          const { jobId, seq } = request
          if (ask._tag === "Stop") return stop(request, ask)
          return Effect.flatMap(now, (at) =>
            store.signal({ kind, jobId, name: ask.name, payload: ask.payload, by: ask.by, limit, request: seq, at })
          ).pipe(
            Effect.zipRight(wake(jobId)),
            Effect.catchTags({
              JobNotFound: (error) => Effect.zipRight(refused(request, error), store.producers.settle(request)),
              JobEnded: (error) => Effect.zipRight(refused(request, error), store.producers.settle(request)),
              TooManySignals: (error) => Effect.zipRight(refused(request, error), store.producers.settle(request))
            })
          )
        }
      })

    const report = (cause: Cause.Cause<unknown>) =>
      Effect.logWarning("requests of producers could not be applied yet", cause)

    return Effect.gen(function* () {
      const version = yield* submitted.version
      const waiting = (yield* store.producers.requests(kind)).filter(({ seq }) => !stopping.has(seq))
      yield* Effect.forEach(waiting, apply, { discard: true })
      if (waiting.length === 0) yield* submitted.changed(version)
    }).pipe(
      Effect.catchAllCause((cause) =>
        Cause.isInterrupted(cause) ? Effect.interrupt : Effect.zipRight(report(cause), sleep(pause))
      ),
      // A closing manager refuses stops, and would find their requests again at once.
      Effect.zipRight(shutdown.hasBegun),
      Effect.repeat({ until: (hasBegun) => hasBegun }),
      Effect.asVoid
    )
  })
