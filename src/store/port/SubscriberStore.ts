/**
 * The durable cursors of subscribers.
 */
import type { DateTime, Duration, Effect, Option, Scope } from "effect"
import type { AlreadySubscribed, StoreError, SubscriberInUse, SubscriberNotFound } from "../../domain/errors.js"
import type { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import type { Subscriber } from "../../domain/Subscriber.js"

/** The events that a subscriber receives; all kinds, and all types, by default. */
export interface Selection {
  readonly kinds?: ReadonlyArray<string> | undefined
  readonly types?: ReadonlyArray<string> | undefined
}

export interface Registration extends Selection {
  readonly name: string
  /** Where a new subscriber begins: after the latest event, or at the first one that the log still has. */
  readonly from: "now" | "start"
  /** How long after its end a run is kept for the subscriber. */
  readonly hold: Duration.Duration
  readonly at: DateTime.Utc
}

/** An event with the kind of its job. */
export interface Delivery {
  readonly kind: string
  readonly event: JobEvent
}

export interface DeliveryPage {
  readonly deliveries: ReadonlyArray<Delivery>
  /** The cursor at which the next page starts; other events are skipped. */
  readonly cursor: number
  readonly more: boolean
  /** Payload bytes read from the database; 0 for the in-memory store. */
  readonly size: number
}

/** What a subscriber has to do besides the events after its cursor. */
export interface Progress {
  readonly cursor: number
  readonly gap: Option.Option<{ readonly from: number; readonly to: number }>
  /** Events that the handler has failed on, in order. */
  readonly undelivered: ReadonlyArray<{ readonly cursor: number; readonly isAside: boolean }>
}

/** The lock of the only live instance of a subscriber. */
export interface SubscriberLock {
  /** Identifies the instance. */
  readonly holder: string
  /** Completes when the lock is uncertain, since another instance may soon hold it; never if a kernel guarantees it. */
  readonly lost: Effect.Effect<void>
}

export interface SubscriberStore {
  /** Takes a name on this store until the scope closes. */
  readonly claim: (name: string) => Effect.Effect<void, AlreadySubscribed, Scope.Scope>

  /** Records the subscriber. If it exists, it keeps its cursor. */
  readonly register: (registration: Registration) => Effect.Effect<void, StoreError>

  /** Makes the caller the only live instance of a registered subscriber until the scope closes; none if there is another one. */
  readonly tryLock: (name: string) => Effect.Effect<Option.Option<SubscriberLock>, StoreError, Scope.Scope>

  /** The selected events after a cursor. */
  readonly deliveries: (
    query: Selection & { readonly after: number; readonly limit: number }
  ) => Effect.Effect<DeliveryPage, StoreError>

  /** The progress of a subscriber, with its undelivered events that are to be tried, or have a cursor above `after`; none if it was removed. */
  readonly progress: (query: {
    readonly name: string
    readonly after: number
  }) => Effect.Effect<Option.Option<Progress>, StoreError>

  /** Moves the cursor forward. Returns whether the holder still has the lock. */
  readonly move: (moved: {
    readonly name: string
    readonly holder: string
    readonly cursor: number
    readonly at: DateTime.Utc
  }) => Effect.Effect<boolean, StoreError>

  /** Records that the handler has failed on an event. Returns when it failed first. */
  readonly failed: (failure: {
    readonly name: string
    readonly jobId: JobId
    readonly cursor: number
    readonly at: DateTime.Utc
    readonly error: string
  }) => Effect.Effect<DateTime.Utc, StoreError>

  /** Puts an event aside that the handler has failed on. */
  readonly putAside: (event: { readonly name: string; readonly cursor: number }) => Effect.Effect<void, StoreError>

  /** Removes the record of an event that is handled after a failure. */
  readonly settle: (event: { readonly name: string; readonly cursor: number }) => Effect.Effect<void, StoreError>

  /** Counts a run that was skipped. */
  readonly skipped: (name: string) => Effect.Effect<void, StoreError>

  /** Removes a gap that is handled, unless it has grown since. */
  readonly closeGap: (gap: { readonly name: string; readonly to: number }) => Effect.Effect<void, StoreError>

  /** All subscribers, by name. */
  readonly list: Effect.Effect<ReadonlyArray<Subscriber>, StoreError>

  /** Makes all events that were put aside due again. Returns how many there were. */
  readonly retry: (retry: {
    readonly name: string
    readonly at: DateTime.Utc
  }) => Effect.Effect<number, SubscriberNotFound | StoreError>

  /** Removes a subscriber that no process runs. */
  readonly remove: (name: string) => Effect.Effect<void, SubscriberNotFound | SubscriberInUse | StoreError>
}
