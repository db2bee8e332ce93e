/**
 * The record of a subscriber: how far it has handled the events of jobs, and which of them it could not handle.
 *
 * @since 0.2.0
 */
import { Schema } from "effect"
import { JobId } from "./JobId.js"

/**
 * An event that a subscriber could not handle yet.
 *
 * @since 0.2.0
 * @category models
 */
export class Undelivered extends Schema.Class<Undelivered>("charlotte/Undelivered")({
  jobId: JobId,
  cursor: Schema.Int,
  type: Schema.String,
  /** When the handler failed first, or when the event was to be tried again. */
  failedAt: Schema.DateTimeUtc,
  /** Whether it was put aside: it is not tried again by itself. */
  isAside: Schema.Boolean,
  /** The last failure of the handler, pretty-printed. */
  error: Schema.String
}) {}

/**
 * A range of cursors with events that a subscriber has not received: their runs were pruned first.
 *
 * @since 0.2.0
 * @category models
 */
export const Missed = Schema.Struct({ from: Schema.Int, to: Schema.Int })

/**
 * The record of a subscriber.
 *
 * @since 0.2.0
 * @category models
 */
export class Subscriber extends Schema.Class<Subscriber>("charlotte/Subscriber")({
  name: Schema.NonEmptyString,
  /** The kinds of its events; missing for all. */
  kinds: Schema.optional(Schema.Array(Schema.String)),
  /** The types of its events; missing for all. */
  types: Schema.optional(Schema.Array(Schema.String)),
  /** All events up to this cursor are handled, or are among the undelivered ones. */
  cursor: Schema.Int,
  /** The latest cursor of the log minus `cursor`; events of other kinds and types count, too. */
  behind: Schema.Int,
  /** Milliseconds for which a run is kept for it after its end. */
  hold: Schema.Number,
  createdAt: Schema.DateTimeUtc,
  /** When the cursor was moved last. */
  movedAt: Schema.DateTimeUtc,
  /** Events whose handler has failed, and is tried again. */
  failing: Schema.Int,
  /** Events that were put aside. */
  aside: Schema.Int,
  /** Runs that were skipped since they no longer decode. */
  skipped: Schema.Int,
  /** What it will learn it has missed. */
  gap: Schema.optional(Missed),
  /** The first of the failing and put aside events, at most 10. */
  undelivered: Schema.Array(Undelivered)
}) {}
