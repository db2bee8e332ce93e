/**
 * Follows the events of all managers, to count them in the metrics and in the activity of the last hour.
 */
import { Effect, Layer, Schedule, Stream } from "effect"
import type { JobEvent } from "../../domain/JobEvent.js"
import * as background from "../../internal/background.js"
import { now } from "../../internal/now.js"
import * as Activity from "./Activity.js"
import { countEvent } from "./countEvent.js"
import { Extension } from "./Extension.js"
import { Managers } from "./Managers.js"

/** Follows from a cursor, by default the latest one. */
export const layer = (options: { readonly after?: number | undefined }) =>
  Layer.scoped(
    Activity.Activity,
    Effect.gen(function* () {
      const managers = yield* Managers
      const { store } = managers
      const extension = yield* Extension
      const events = managers.events(managers.all)
      const activity = Activity.make(yield* now)
      let after = options.after ?? (yield* Effect.orElseSucceed(store.latestCursor, () => "latest" as const))

      /** Advances first, so that an event that cannot be counted is not retried for ever. */
      const count = (event: JobEvent) => {
        after = event.cursor
        activity.record(event)
        return Effect.zipRight(extension.record(event), countEvent(store, event))
      }

      /** Counts the events that were committed while the server closed. */
      const rest = Effect.suspend(() => {
        const from = after
        return typeof from === "string"
          ? Effect.void
          : Effect.forEach(managers.all, ({ kind }) =>
              Effect.flatMap(store.allEvents({ kind, after: from, limit: 1_000 }), ({ events }) =>
                Effect.forEach(events, count)
              )
            )
      })
      yield* Effect.addFinalizer(() => Effect.ignore(rest))
      yield* Stream.suspend(() => events(after)).pipe(
        Stream.runForEach(count),
        Effect.tapErrorCause((cause) => Effect.logWarning("counting events failed, retrying", cause)),
        Effect.retry(Schedule.spaced("1 second")),
        Effect.annotateLogs("module", "followEvents"),
        background.fork
      )
      return activity
    })
  )
