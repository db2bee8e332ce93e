/** The kind of job that the producers start and the worker runs. */
import { JobKind } from "charlotte"
import { Schema } from "effect"

export class Mail extends JobKind.Tag<Mail>()("mail", {
  config: Schema.Struct({ to: Schema.String }),
  success: Schema.Struct({ sentTo: Schema.String }),
  labels: ({ to }) => ({ producer: to.split("-")[0] ?? "" }),
  maxQueued: 1_000_000
}) {}
