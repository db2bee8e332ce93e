/**
 * How long finished runs are kept.
 *
 * @since 0.2.0
 */
import type { DateTime, Effect, Option, Scope } from "effect"
import type { JobNotFound, StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { PrunedRuns, Retention } from "../../domain/Retention.js"

/**
 * Operations that decide how long runs are kept, and that prune them.
 *
 * @since 0.2.0
 * @category models
 */
export interface RunRetention {
  /** Keeps a run regardless of the retention of its kind. */
  readonly pin: (id: JobId) => Effect.Effect<void, JobNotFound | StoreError>

  /** Undoes `pin`: the retention of its kind applies to the run again. */
  readonly unpin: (id: JobId) => Effect.Effect<void, JobNotFound | StoreError>

  /** Sets how long the runs of a kind are kept, for as long as the scope lives. */
  readonly retain: (rule: Rule) => Effect.Effect<void, never, Scope.Scope>

  /** Prunes finished runs as the retention of their kinds says. */
  readonly prune: (options?: PruneOptions) => Effect.Effect<ReadonlyArray<PrunedRuns>, StoreError>

  /** The earliest time at which a finished run of a kind is to be pruned. */
  readonly nextExpiry: (kind: string) => Effect.Effect<Option.Option<DateTime.Utc>, StoreError>

  /** The number of prunings: pages that were read before one may contain events of pruned runs. */
  readonly prunings: Effect.Effect<number>
}

/**
 * How long the runs of a kind are kept.
 *
 * @since 0.2.0
 * @category models
 */
export interface Rule {
  readonly kind: string
  readonly retention: Retention
  /** Removes what is kept of a pruned job outside the store. If it fails, the run stays hidden, and a later pruning retries. */
  readonly forget: (id: JobId) => Effect.Effect<void, unknown>
}

/**
 * Options of a pruning.
 *
 * @since 0.2.0
 * @category options
 */
export interface PruneOptions {
  /** The kind to prune; all kinds with a retention if it is left out. */
  readonly kind?: string | undefined
  /** Returns what would be pruned, and changes nothing. */
  readonly dryRun?: boolean | undefined
}
