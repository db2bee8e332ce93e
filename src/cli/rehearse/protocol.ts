/**
 * What a rehearsal and its child process send each other. The first reply has the kinds of the module; each further one the verdicts on
 * the records of a request.
 */
import { Schema } from "effect"
import type { Recorded } from "../../store/Rehearsal.js"

export interface Request {
  readonly records: ReadonlyArray<Request.Record>
}

export declare namespace Request {
  type Record = Pick<Recorded, "kind" | "of" | "name" | "json">
}

/** What does not decode, or what was not rehearsed, since its schema needs services; null if all is well. */
const Verdict = Schema.NullOr(
  Schema.Union(Schema.Struct({ problem: Schema.String }), Schema.Struct({ unrehearsed: Schema.String }))
)

export const Reply = Schema.Union(
  Schema.Struct({ kinds: Schema.Array(Schema.String) }),
  Schema.Struct({ verdicts: Schema.Array(Verdict) })
)

export type Reply = typeof Reply.Type

export declare namespace Reply {
  type Verdict = typeof Verdict.Type
}
