/**
 * What turns of agents cost.
 *
 * @since 0.2.0
 */
import { Schema } from "effect"

/**
 * Tokens by kind, and money: an estimate at the prices of the API, even where a subscription pays for it.
 *
 * @since 0.2.0
 * @category models
 */
export const Cost = Schema.Struct({
  /** Tokens of prompts that no cache had. */
  input: Schema.NonNegativeInt,
  /** Tokens of prompts that were read from a cache. */
  cached: Schema.NonNegativeInt,
  output: Schema.NonNegativeInt,
  /** In US dollars; missing if no agent reports money and no prices are configured. */
  usd: Schema.optional(Schema.NonNegative),
  /** Whether the true amount may differ: not every turn reports all that it has used. */
  isApproximate: Schema.optional(Schema.Boolean)
}).annotations({ identifier: "charlotte/Cost" })

/**
 * What turns of agents cost.
 *
 * @since 0.2.0
 * @category models
 */
export type Cost = typeof Cost.Type

/**
 * How much a job may spend: US dollars, and tokens of all kinds.
 *
 * @since 0.2.0
 * @category models
 */
export const SpendingLimits = Schema.Struct({
  usd: Schema.optional(Schema.Positive),
  tokens: Schema.optional(Schema.Int.pipe(Schema.positive()))
}).annotations({ identifier: "charlotte/SpendingLimits" })

/**
 * How much a job may spend.
 *
 * @since 0.2.0
 * @category models
 */
export type SpendingLimits = typeof SpendingLimits.Type
