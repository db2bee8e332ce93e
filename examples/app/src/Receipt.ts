/**
 * The receipt of an order, sent by email: what the web process needs to start the job, and the worker to run it.
 */
import { JobKind } from "charlotte"
import { Schema } from "effect"

/** Another attempt may succeed. */
export class ProviderDown extends Schema.TaggedError<ProviderDown>()("ProviderDown", {}) {}

/** No attempt will succeed. */
export class AddressRefused extends Schema.TaggedError<AddressRefused>()("AddressRefused", { to: Schema.String }) {}

export class Receipt extends JobKind.Tag<Receipt>()("receipt", {
  config: Schema.Struct({ order: Schema.Int, to: Schema.String, cents: Schema.Int }),
  success: Schema.Struct({ messageId: Schema.String }),
  error: Schema.Union(ProviderDown, AddressRefused),
  labels: ({ order }) => ({ order: String(order) })
}) {}
