/**
 * Subscriptions. Each is a cursor into the event log: it replays, then follows, at its own pace, and costs the writer
 * nothing. There is no buffer, so nothing is ever dropped.
 */
import { Chunk, Effect, Option, type Scope, Stream } from "effect"
import { JobNotFound, type StoreError } from "../domain/errors.js"
import type { JobEvent } from "../domain/JobEvent.js"
import type { JobId } from "../domain/JobId.js"
import type { Service as Store } from "../store/Port.js"
import type { Signal } from "../store/Signals.js"
import type { Closing } from "./Closing.js"
import * as Pages from "./Pages.js"

export interface EventStreams {
  /** Ends after the terminal event, or, when the manager closes, after the last one that is committed. */
  readonly ofJob: (jobId: JobId, after: number) => Stream.Stream<JobEvent, JobNotFound | StoreError>
  /** Ends when the manager closes. */
  readonly ofAll: (after: number | "latest") => Stream.Stream<JobEvent, StoreError>
}

/** Events read at once: large enough to make a read worth it, small enough to keep a subscriber's memory flat. */
const limit = 256

export const make = (options: {
  readonly kind: string
  readonly store: Store
  readonly closing: Closing
}): EventStreams => {
  const { closing, kind, store } = options
  const pages = Pages.make()

  const follow = <E>(
    subscribe: Effect.Effect<Signal, never, Scope.Scope>,
    after: Effect.Effect<number, E>,
    read: (after: number) => Effect.Effect<Pages.Page, E>
  ): Stream.Stream<JobEvent, E> =>
    Stream.unwrapScoped(
      Effect.gen(function* () {
        yield* closing.stream
        const signal = yield* subscribe

        // The version comes before the page, and the end before both: whatever happens in between is seen afterwards.
        const page = (after: number): Effect.Effect<readonly [Chunk.Chunk<JobEvent>, Option.Option<number>], E> =>
          Effect.gen(function* () {
            const over = yield* closing.isOver
            const version = yield* signal.version
            const { cursor, events, next } = yield* read(after)
            if (next === "end" || (next === "wait" && over)) return [events, Option.none()]
            if (events.length > 0) return [events, Option.some(cursor)]
            if (next === "wait") {
              // Who holds the connection would wait for a write that waits for it.
              yield* store.outsideTransaction
              yield* closing.orOver(signal.changed(version))
            }
            return yield* page(cursor)
          })

        return Stream.paginateChunkEffect(yield* after, page)
      })
    )

  return {
    ofJob: (jobId, after) =>
      follow(store.changes(jobId), Effect.succeed(after), (after) =>
        pages(
          `${jobId} ${after}`,
          Effect.flatMap(
            store.events({ kind, jobId, after, limit }),
            Option.match({
              onNone: () => new JobNotFound({ jobId }),
              onSome: ({ ended, events, more, size }) =>
                Effect.succeed<Pages.Page>({
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
        pages(
          `${after}`,
          Effect.map(store.allEvents({ kind, after, limit }), ({ cursor, events, more, size }): Pages.Page => ({
            events: Chunk.unsafeFromArray(events),
            cursor,
            next: more ? "more" : "wait",
            size
          }))
        )
      )
  }
}
