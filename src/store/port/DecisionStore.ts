/**
 * The decisions about executions of workflows: values that others decide once, also before the execution starts.
 *
 * @since 0.2.0
 */
import type { DateTime, Effect } from "effect"
import type { StoreError } from "../../domain/errors.js"

/**
 * An execution: the run of a kind that has this idempotency key, whether or not it has started.
 *
 * @since 0.2.0
 * @category models
 */
export interface Execution {
  readonly kind: string
  readonly key: string
}

/**
 * A decision.
 *
 * @since 0.2.0
 * @category models
 */
export interface Decision {
  readonly name: string
  /** The value as JSON text. */
  readonly value: string
}

/**
 * The records of decisions.
 *
 * @since 0.2.0
 * @category models
 */
export interface DecisionStore {
  /**
   * Records a decision unless there is one of that name: the first counts. The same transaction makes a run due that has parked for
   * decisions. Returns whether it was recorded.
   */
  readonly decide: (
    decision: Execution & Decision & { readonly at: DateTime.Utc }
  ) => Effect.Effect<boolean, StoreError>

  /** All decisions about an execution, by their names. They are removed with its run, and without one after 30 days. */
  readonly about: (execution: Execution) => Effect.Effect<ReadonlyArray<Decision>, StoreError>

  /**
   * Records that an execution waits for the end of another, `of`, whose last commit then decides about it: `ended/` and kind and key of
   * the one that has ended. Returns `false` if that has ended already, or is not there.
   */
  readonly awaitEnd: (
    waiter: Execution & { readonly of: Execution; readonly at: DateTime.Utc }
  ) => Effect.Effect<boolean, StoreError>
}
