/**
 * Handles the events of jobs reliably: a subscriber has a durable cursor, so that its handler gets every event at least once, also
 * after a crash.
 *
 * @since 0.2.0
 */
import { Data, Duration, Effect, Layer } from "effect"
import type { AlreadySubscribed, StoreError } from "../domain/errors.js"
import type { JobEvent } from "../domain/JobEvent.js"
import { RunStore } from "../store/RunStore.js"
import type { Item } from "./internal/deliver.js"
import { subscribe } from "./internal/subscribe.js"

/**
 * An event of a job, with the kind of the job.
 *
 * @since 0.2.0
 * @category models
 */
export class Event extends Data.TaggedClass("Event")<{ readonly kind: string; readonly event: JobEvent }> {}

/**
 * Events that the subscriber has not received: it was behind for longer than `hold`, and their runs were pruned. Both cursors are
 * those of missed events.
 *
 * @since 0.2.0
 * @category models
 */
export class Gap extends Data.TaggedClass("Gap")<{ readonly from: number; readonly to: number }> {}

/**
 * What a subscriber receives.
 *
 * @since 0.2.0
 * @category models
 */
export type Received = Event | Gap

/**
 * Options of a subscriber.
 *
 * @since 0.2.0
 * @category options
 */
export interface Options {
  /** The kinds of jobs, by name or by definition; all by default. */
  readonly kinds?: ReadonlyArray<string | { readonly kind: string }>
  /** The types of events; all by default. */
  readonly types?: ReadonlyArray<string>
  /** Where it begins when it is new: after the latest event, or at the first event that is still kept. */
  readonly from: "now" | "start"
  /** How many events are handled at once, 1 to 1,000. With 1, the default, all events are handled in order; otherwise those of each job. */
  readonly concurrency?: number
  /** How long a handler that fails is tried again, with growing pauses, before its event is put aside; 24 hours by default. */
  readonly giveUp?: Duration.DurationInput
  /** How long the retention of a kind keeps a run after its end for this subscriber; 7 days by default. */
  readonly hold?: Duration.DurationInput
}

const namePattern = /^[a-z][a-z0-9-]{0,62}$/

const maxConcurrency = 1_000

const problem = (name: string, concurrency: number): string | undefined => {
  if (!namePattern.test(name)) {
    return `the name of a subscriber is a lower-case letter and up to 62 further ones, digits and hyphens, not "${name}"`
  }
  return Number.isSafeInteger(concurrency) && concurrency >= 1 && concurrency <= maxConcurrency
    ? undefined
    : `the concurrency of subscriber ${name} is a whole number from 1 to ${maxConcurrency}, not ${concurrency}`
}

const received = (item: Item): Received => (item._tag === "Gap" ? new Gap(item) : new Event(item))

/**
 * Calls a handler with every event at least once, for as long as the layer lives. Of the processes that have a subscriber of this name
 * on a database, one is live and the others stand by; a second one on the same store fails with `AlreadySubscribed`. Handlers are
 * interrupted when the layer closes, and get the same event again from the next instance.
 *
 * @since 0.2.0
 * @category layers
 * @example
 * import { RunStore, Subscriber } from "charlotte"
 * import { Console, Layer } from "effect"
 *
 * const Invoices = Subscriber.layer("invoices", { kinds: ["order"], types: ["job.completed"], from: "start" }, (received) =>
 *   received._tag === "Gap"
 *     ? Console.log(`missed the events from ${received.from} to ${received.to}`)
 *     : Console.log(`job ${received.event.jobId} has completed`)
 * )
 *
 * const Application = Layer.provide(Invoices, RunStore.layerMemory)
 */
export const layer = <R>(
  name: string,
  options: Options,
  handler: (received: Received) => Effect.Effect<void, unknown, R>
): Layer.Layer<never, StoreError | AlreadySubscribed, RunStore | R> =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const { concurrency = 1, from, giveUp = "24 hours", hold = "7 days", kinds, types } = options
      const reason = problem(name, concurrency)
      if (reason !== undefined) return yield* Effect.dieMessage(reason)
      const store = yield* RunStore
      yield* store.subscribers.claim(name)
      yield* subscribe(store, {
        name,
        from,
        concurrency,
        kinds: kinds?.map((kind) => (typeof kind === "string" ? kind : kind.kind)),
        types,
        giveUp: Duration.decode(giveUp),
        hold: Duration.decode(hold),
        handler: (item) => handler(received(item))
      })
    })
  )
