/**
 * The receipt of an order, sent by email.
 */
import { JobKind } from "charlotte"
import { Schema } from "effect"

export class NotDelivered extends Schema.TaggedError<NotDelivered>()("NotDelivered", {
  to: Schema.String,
  reason: Schema.String
}) {}

export class Receipt extends JobKind.Tag<Receipt>()("receipt", {
  config: Schema.Struct({ order: Schema.Int, to: Schema.NonEmptyString }),
  success: Schema.Struct({ messageId: Schema.String }),
  error: NotDelivered,
  events: { "receipt.sent": Schema.Struct({ to: Schema.String }) },
  labels: ({ order }) => ({ order: String(order) })
}) {}
