import { JobKind } from "charlotte"
import { Schema } from "effect"

export class Report extends JobKind.Tag<Report>()("report", {
  config: Schema.Struct({ title: Schema.String, pages: Schema.Int }),
  events: {
    // The node that works on it.
    begun: Schema.Struct({ node: Schema.String }),
    written: Schema.Struct({ page: Schema.Int })
  }
}) {}
