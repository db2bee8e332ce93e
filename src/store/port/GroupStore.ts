/**
 * The groups of kinds: at most so many jobs of each run at once, on all nodes together.
 *
 * @since 0.2.0
 */
import type { Effect } from "effect"
import type { StoreError } from "../../domain/errors.js"

/**
 * The limit of the groups of kinds. Each transaction that begins an attempt decides by the rows of the runs.
 *
 * @since 0.2.0
 * @category models
 */
export interface GroupStore {
  /** Records the setting of a kind for all its managers, and reads the groups again that it changes. The last one counts. */
  readonly register: (settings: GroupSettings) => Effect.Effect<void, StoreError>

  /** The jobs of a group now. The transaction that begins one of them decides. */
  readonly get: (kind: string, group: string) => Effect.Effect<Group, StoreError>
}

/**
 * How the groups of a kind are limited.
 *
 * @since 0.2.0
 * @category models
 */
export interface GroupSettings {
  readonly kind: string
  /** How many jobs of a group may run at once; without a limit if it is missing. */
  readonly maxPerGroup: number | undefined
  /** Whether interrupted runs wait for a person, so that they hold back no other run of their group. */
  readonly isManual: boolean
}

/**
 * The jobs of a group.
 *
 * @since 0.2.0
 * @category models
 */
export interface Group {
  /** How many of them may run at once; missing without a limit. */
  readonly most: number | undefined
  /** How many run; counted up to the limit. */
  readonly active: number
  /** How many wait for their turn in the group; counted up to the limit. */
  readonly waiting: number
}
