/**
 * The keys that runs hold, and the idempotency keys that keep a start from being done twice.
 *
 * @since 0.2.0
 */
import type { Effect, Option } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Parked } from "../../domain/Run.js"
import type { RunStatus } from "../../domain/RunStatus.js"

/**
 * Read operations on keys.
 *
 * @since 0.2.0
 * @category models
 */
export interface RunKeys {
  /** The job that holds a key, if any. */
  readonly holder: (key: Key) => Effect.Effect<Option.Option<Holder>, StoreError>

  /** The keys of a run; none if it is over. */
  readonly keys: (id: JobId) => Effect.Effect<ReadonlyArray<HeldKey>, StoreError>

  /** The keys that a run was started with, even if it is over. */
  readonly ownKeys: (id: JobId) => Effect.Effect<OwnKeys, StoreError>

  /** The run that was started with an idempotency key, or to which a request with the key has attached. */
  readonly idempotent: (query: {
    readonly kind: string
    readonly key: string
  }) => Effect.Effect<Option.Option<Submitted>, StoreError>
}

/**
 * The keys that a run was started with.
 *
 * @since 0.2.0
 * @category models
 */
export interface OwnKeys {
  /** The key of `check`. */
  readonly key: string | undefined
  /** The key of the caller's options. */
  readonly startKey: string | undefined
}

/**
 * A key of a kind: the key of `check`, or the key of the caller's options.
 *
 * @since 0.2.0
 * @category models
 */
export interface Key {
  readonly kind: string
  readonly of: "key" | "startKey"
  readonly key: string
}

/**
 * A job that holds a key.
 *
 * @since 0.2.0
 * @category models
 */
export interface Holder {
  readonly id: JobId
  readonly status: RunStatus
  /** What a parked job waits for. */
  readonly parked?: Parked | undefined
}

/**
 * A key of a run, and the job that holds it: the run itself, or the job behind which it waits.
 *
 * @since 0.2.0
 * @category models
 */
export interface HeldKey extends Omit<Key, "kind"> {
  readonly holder: Holder
}

/**
 * The run of an idempotency key, and the first request with the key.
 *
 * @since 0.2.0
 * @category models
 */
export interface Submitted {
  readonly id: JobId
  readonly request: string
}

/**
 * An idempotency key, and what distinguishes its request from others.
 *
 * @since 0.2.0
 * @category models
 */
export interface Idempotency {
  readonly key: string
  readonly request: string
}

/**
 * A request that attaches to the job that holds a key.
 *
 * @since 0.2.0
 * @category models
 */
export interface Attaching {
  readonly to: Key
  readonly idempotency: Idempotency
}
