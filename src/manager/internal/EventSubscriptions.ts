/**
 * Subscriptions to events. Each is a cursor into the event log: it replays, then follows, at its own pace, and costs the
 * writer nothing. There is no buffer, so nothing is ever dropped.
 */
import { Chunk, Effect, Option, type Scope, Stream } from "effect"
import { JobNotFound, type StoreError } from "../../domain/errors.js"
import type { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import type { Reads } from "../../store/Runs.js"
import type { Notifier } from "../../store/port/ChangeNotifier.js"
import * as EventPageCache from "./EventPageCache.js"
import type { Shutdown } from "./Shutdown.js"

export interface EventSubscriptions {
  /** Ends after the terminal event, or, when the manager closes, after the last committed event. */
  readonly ofJob: (jobId: JobId, after: number) => Stream.Stream<JobEvent, JobNotFound | StoreError>
  /** Ends when the manager closes. */
  readonly ofAll: (after: number | "latest") => Stream.Stream<JobEvent, StoreError>
}

/** Events read at once: large enough to make a read worth it, small enough to keep a subscriber's memory flat. */
const limit = 256

export const make = (options: {
  readonly kind: string
  readonly store: Pick<Reads, "events" | "allEvents" | "latestCursor" | "changes" | "outsideTransaction" | "prunings">
  readonly shutdown: Pick<Shutdown, "isOver" | "orOver" | "stream">
}): Effect.Effect<EventSubscriptions> =>
  Effect.map(EventPageCache.make(options.store.prunings), (cached) => {
    const { kind, shutdown, store } = options

    /** The next page that has events, and the cursor for the page after it; none after the last page. */
    const nextPage = <E>(
      signal: Notifier,
      after: number,
      read: (after: number) => Effect.Effect<EventPageCache.Page, E>
    ): Effect.Effect<readonly [Chunk.Chunk<JobEvent>, Option.Option<number>], E> =>
      Effect.gen(function* () {
        for (let position = after; ;) {
          // These reads are in this order so that a change between two of them is seen in the next round.
          const isOver = yield* shutdown.isOver
          const version = yield* signal.version
          const { cursor, events, next } = yield* read(position)
          if (next === "end" || (next === "wait" && isOver)) return [events, Option.none()]
          if (Chunk.isNonEmpty(events)) return [events, Option.some(cursor)]
          position = cursor
          if (next === "more") continue
          // Inside a transaction this would deadlock: the awaited write needs the connection of the transaction.
          yield* store.outsideTransaction
          yield* shutdown.orOver(signal.changed(version))
        }
      })

    const follow = <E>(
      subscribe: Effect.Effect<Notifier, never, Scope.Scope>,
      after: Effect.Effect<number, E>,
      read: (after: number) => Effect.Effect<EventPageCache.Page, E>
    ): Stream.Stream<JobEvent, E> =>
      Stream.unwrapScoped(
        Effect.gen(function* () {
          // Inside a transaction the stream would wait for ever: the transaction blocks the writes that it waits for.
          yield* store.outsideTransaction
          yield* shutdown.stream
          const signal = yield* subscribe
          return Stream.paginateChunkEffect(yield* after, (after) => nextPage(signal, after, read))
        })
      )

    return {
      ofJob: (jobId, after) =>
        follow(store.changes(jobId), Effect.succeed(after), (after) =>
          cached(
            `${jobId} ${after}`,
            Effect.flatMap(
              store.events({ kind, jobId, after, limit }),
              Option.match({
                onNone: () => new JobNotFound({ jobId }),
                onSome: ({ ended, events, more, size }) =>
                  Effect.succeed<EventPageCache.Page>({
                    events: Chunk.unsafeFromArray(events),
                    cursor: events.at(-1)?.seq ?? after,
                    next: more ? "more" : ended ? "end" : "wait",
                    size
                  })
              })
            )
          )
        ),

      ofAll: (after) =>
        follow(store.changes(), after === "latest" ? store.latestCursor : Effect.succeed(after), (after) =>
          cached(
            `${after}`,
            Effect.map(
              store.allEvents({ kind, after, limit }),
              ({ cursor, events, more, size }): EventPageCache.Page => ({
                events: Chunk.unsafeFromArray(events),
                cursor,
                next: more ? "more" : "wait",
                size
              })
            )
          )
        )
    }
  })
