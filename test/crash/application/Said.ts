/**
 * What the application says of the answers that it was given, a line each: it is for good from then on.
 */
import { JobId, RunStatus } from "charlotte"
import { Data, Schema } from "effect"
import * as victim from "../victim.js"

const id = JobId.JobId

const Line = Schema.parseJson(
  Schema.Union(
    Schema.TaggedStruct("Started", { id, idempotencyKey: Schema.NullOr(Schema.String) }),
    Schema.TaggedStruct("Committed", { id, order: Schema.Int }),
    Schema.TaggedStruct("RolledBack", { id }),
    Schema.TaggedStruct("Signalled", { id, payload: Schema.Int }),
    Schema.TaggedStruct("Ended", { id, status: RunStatus.RunStatus }),
    /** An attempt has begun, after so many retries. */
    Schema.TaggedStruct("Began", { id, attempt: Schema.Int, tries: Schema.Int }),
    Schema.TaggedStruct("Wrong", { what: Schema.String })
  )
)

export type Said = typeof Line.Type

export const Said = Data.taggedEnum<Said>()

const encode = Schema.encodeSync(Line)

export const decode = Schema.decodeSync(Line)

export const say = (said: Said): void => victim.tell(`said ${encode(said)}`)
