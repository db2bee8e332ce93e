/**
 * The report of a day, which a person approves before it is published.
 */
import { JobKind } from "charlotte"
import { Schema } from "effect"

const Day = Schema.String.pipe(
  Schema.pattern(/^\d{4}-\d{2}-\d{2}$/, { message: () => "must be a day such as 2026-01-31" })
)

export class Report extends JobKind.Tag<Report>()("report", {
  config: Schema.Struct({ day: Day }),
  success: Schema.Struct({ orders: Schema.Int, cents: Schema.Int, approvedBy: Schema.NullOr(Schema.String) }),
  events: { "report.ready": Schema.Struct({ orders: Schema.Int, cents: Schema.Int }) },
  signals: { approve: Schema.Struct({ by: Schema.NonEmptyString }) },
  // One report per day at a time.
  key: ({ day }) => day
}) {}
