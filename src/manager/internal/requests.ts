/**
 * Applies what producers have recorded, in this process or in another one: signals for jobs, and jobs to stop or to resume. Each request is removed
 * once it is applied, so the next manager applies what this one leaves.
 */
import { Cause, Effect, Option, type Scope } from "effect"
import type { ResumeError, ShuttingDown, StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Sender } from "../../domain/Sender.js"
import * as race from "../../internal/race.js"
import { RealClock } from "../../internal/RealClock.js"
import type { Ask, NewResume, NewStop, Request } from "../../store/port/RunStoreService.js"
import type { Core } from "./Core.js"
import { limit } from "./signals.js"
import { stopJob } from "./stopJob.js"

/** Milliseconds to wait after a failure of the store. */
const pause = 500

/** Milliseconds between two tries to resume a job: a permit may have become free on another node of a cluster. */
const permitCheck = 5_000

const requested = (asks: Ask): string =>
  Option.match(asks, {
    onNone: () => "request",
    onSome: (ask) => (ask._tag === "Signal" ? `signal "${ask.name}"` : `request to ${ask._tag.toLowerCase()}`)
  })

/** Returns the effect that applies requests until the manager closes. */
export const make = <Config>(
  core: Core<Config>,
  {
    resume,
    wake
  }: {
    readonly resume: (id: JobId, sender: Sender | undefined) => Effect.Effect<void, ResumeError>
    /** Tells the node of a job that it has a new signal. */
    readonly wake: (id: JobId) => Effect.Effect<void>
  }
): Effect.Effect<Effect.Effect<void>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { kind, shutdown, store } = core
    const { sleep } = yield* RealClock
    const submitted = yield* store.producers.submitted(kind)
    /** The requests that fibers of the manager are applying. */
    const applying = new Set<number>()

    const refused = ({ asks, jobId }: Request, reason: string) =>
      Effect.annotateLogs(Effect.logWarning(`a producer's ${requested(asks)} is dropped: ${reason}`), { jobId })

    /** Applies a request in a fiber of the manager, and removes it then. The next manager applies what a closing one leaves. */
    const applied = (request: Request, effect: Effect.Effect<void, ShuttingDown | StoreError>) =>
      Effect.gen(function* () {
        applying.add(request.seq)
        const settled: Effect.Effect<void> = Effect.zipRight(effect, store.producers.settle(request)).pipe(
          Effect.catchAll((error) =>
            error._tag === "ShuttingDown" || error.reason === "closed"
              ? Effect.void
              : report(Cause.fail(error)).pipe(
                  Effect.zipRight(sleep(pause)),
                  Effect.zipRight(Effect.unlessEffect(settled, shutdown.hasBegun))
                )
          )
        )
        yield* core.fork(
          Effect.ensuring(
            settled,
            Effect.sync(() => applying.delete(request.seq))
          )
        )
      })

    const stop = ({ jobId }: Request, { grace = core.stopGrace, sender }: Pick<NewStop, "grace" | "sender">) =>
      stopJob(core, jobId, { grace, sender }).pipe(
        Effect.catchTags({
          JobNotFound: () => Effect.void,
          // It ends later: the intent is recorded.
          StopTimedOut: (error) => Effect.annotateLogs(Effect.logWarning(error.message), { jobId })
        })
      )

    /** Waits until there is a permit for an interrupted job. */
    const resumed = (
      request: Request,
      { sender }: Pick<NewResume, "sender">
    ): Effect.Effect<void, ShuttingDown | StoreError> =>
      Effect.gen(function* () {
        const seen = yield* core.permitFreed.version
        const again = Effect.suspend(() => resumed(request, { sender }))
        const isFree = shutdown.orOver(race.first([core.permitFreed.changed(seen), sleep(permitCheck)]))
        yield* resume(request.jobId, sender).pipe(
          Effect.catchTags({
            JobNotFound: ({ message }) => refused(request, message),
            JobConflict: ({ message }) => refused(request, message),
            NotResumable: ({ message }) => refused(request, message),
            KindPaused: ({ message }) => refused(request, message),
            MaxJobsReached: () => Effect.zipRight(isFree, again)
          })
        )
      })

    const apply = (request: Request): Effect.Effect<void, StoreError> =>
      Option.match(request.asks, {
        onNone: () =>
          Effect.zipRight(refused(request, "a later version has recorded it"), store.producers.settle(request)),
        onSome: (ask) => {
          const { jobId, seq } = request
          if (ask._tag === "Stop") return applied(request, stop(request, ask))
          if (ask._tag === "Wake") return Effect.zipRight(wake(jobId), store.producers.settle(request))
          if (ask._tag === "Resume") return applied(request, resumed(request, ask))
          const { name, payload, sender } = ask
          return Effect.flatMap(store.now, (at) =>
            store.signal({ kind, jobId, name, payload, sender, limit, request: seq, at })
          ).pipe(
            Effect.zipRight(wake(jobId)),
            Effect.catchTags({
              JobNotFound: ({ message }) => Effect.zipRight(refused(request, message), store.producers.settle(request)),
              JobEnded: ({ message }) => Effect.zipRight(refused(request, message), store.producers.settle(request)),
              TooManySignals: ({ message }) =>
                Effect.zipRight(refused(request, message), store.producers.settle(request))
            })
          )
        }
      })

    const report = (cause: Cause.Cause<unknown>) =>
      Effect.logWarning("requests of producers could not be applied yet", cause)

    return Effect.gen(function* () {
      const version = yield* submitted.version
      const waiting = (yield* store.producers.requests(kind)).filter(({ seq }) => !applying.has(seq))
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
