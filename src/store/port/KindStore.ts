/**
 * The pauses of kinds: no attempt of a job of a paused kind begins, on any node, but for a stop.
 *
 * @since 0.2.0
 */
import type { DateTime, Effect } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { PausedKind } from "../../domain/Run.js"

/**
 * What is set for the jobs of a kind.
 *
 * @since 0.2.0
 * @category models
 */
export interface KindStore {
  /** The paused kinds, sorted by name. */
  readonly paused: Effect.Effect<ReadonlyArray<PausedKind>, StoreError>

  /**
   * Once it returns, no attempt of the kind begins but for a stop: every transaction that would begin another fails with `KindPaused`. A
   * kind that is paused already stays as it is.
   */
  readonly pause: (pause: {
    readonly kind: string
    readonly at: DateTime.Utc
    readonly by?: string | undefined
  }) => Effect.Effect<void, StoreError>

  /** Lets attempts of the kind begin again. */
  readonly unpause: (kind: string) => Effect.Effect<void, StoreError>

  /** Reads whether the kind is paused, before its manager begins attempts. From then on, that manager changes it. */
  readonly recall: (kind: string) => Effect.Effect<void, StoreError>

  /** Whether the kind is paused, from memory. A cluster decides in its transactions only. */
  readonly isPaused: (kind: string) => Effect.Effect<boolean>
}
