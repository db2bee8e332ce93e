/**
 * The report of a day, which a person approves before it is published.
 */
import { JobKind } from "charlotte"
import { DateTime, Option, Schema } from "effect"

export const Day = Schema.String.pipe(
  Schema.filter((day) => /^\d{4}-\d{2}-\d{2}$/.test(day) && Option.isSome(DateTime.make(day)), {
    message: () => "must be a day such as 2026-01-31"
  })
)

export class Report extends JobKind.Tag<Report>()("report", {
  config: Schema.Struct({ day: Day }),
  success: Schema.Struct({ orders: Schema.Int, cents: Schema.Int, approvedBy: Schema.NullOr(Schema.String) }),
  events: { "report.ready": Schema.Struct({ orders: Schema.Int, cents: Schema.Int }) },
  signals: { approve: Schema.Struct({ by: Schema.NonEmptyString }) },
  labels: ({ day }) => ({ day })
}) {}
