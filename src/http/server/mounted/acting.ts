/**
 * What the page does with jobs of a kind: by their manager if it is in this process, or else by their producer, which leaves it to the
 * manager in another one.
 */
import { DateTime, Duration, Effect, Option } from "effect"
import { JobNotFound, StopTimedOut } from "../../../domain/errors.js"
import type { JobId } from "../../../domain/JobId.js"
import { isTerminal, type RunStatus } from "../../../domain/RunStatus.js"
import { StopReport } from "../../../domain/StopReport.js"
import { now } from "../../../internal/now.js"
import type { Service as Store } from "../../../store/port/RunStoreService.js"
import * as EventSubscriptions from "../../../manager/internal/EventSubscriptions.js"
import type { Any, ProducerService } from "../../../manager/KindDefinition.js"
import type { AnyManager } from "../../contract/Kinds.js"
import { neverOver } from "../Managers.js"

export type Acting = Pick<
  AnyManager,
  "allEvents" | "events" | "get" | "resume" | "retry" | "retryMany" | "signal" | "stop"
>

/**
 * The producer of any kind.
 *
 * @since 0.2.0
 * @category models
 */
export interface AnyProducer extends Pick<ProducerService<Any>, "resume" | "retry" | "retryMany" | "stop"> {
  readonly signal: AnyManager["signal"]
  readonly await: (id: JobId) => Effect.Effect<{ readonly status: RunStatus }, unknown>
}

/** How long the page waits until a job that it stops has ended. */
const patience = Duration.seconds(30)

export const ofProducer = (kind: string, producer: AnyProducer, store: Store): Effect.Effect<Acting> =>
  Effect.map(EventSubscriptions.make({ kind, store, shutdown: neverOver }), (subscriptions) => {
    const { resume, retry, retryMany, signal } = producer
    const statusOf = (jobId: JobId) =>
      Effect.flatMap(store.get(jobId), (run) =>
        Option.isSome(run) && run.value.kind === kind ? Effect.succeed(run.value.status) : new JobNotFound({ jobId })
      )

    return {
      retry,
      retryMany,
      signal,
      get: () => Effect.succeedNone,
      events: (id, { after = 0 } = {}) => subscriptions.ofJob(id, after),
      allEvents: ({ after = 0 } = {}) => subscriptions.ofAll(after),
      resume,
      stop: (jobId, options) =>
        Effect.gen(function* () {
          const from = yield* now
          const elapsed = Effect.map(now, (to) => Duration.millis(DateTime.distance(from, to)))
          if (isTerminal(yield* statusOf(jobId))) {
            const status = yield* statusOf(jobId)
            return new StopReport({ jobId, status, mode: "alreadyEnded", elapsed: yield* elapsed })
          }
          yield* producer.stop(jobId, options)
          yield* Effect.ignore(Effect.timeout(producer.await(jobId), patience))
          const status = yield* statusOf(jobId)
          return isTerminal(status)
            ? new StopReport({ jobId, status, mode: "graceful", elapsed: yield* elapsed })
            : yield* new StopTimedOut({ jobId, elapsed: yield* elapsed })
        })
    }
  })
