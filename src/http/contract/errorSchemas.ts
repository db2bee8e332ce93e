/**
 * Errors on the wire: each as it is encoded, with its sentence, under a status of its own.
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import { ParseResult, Schema } from "effect"
import * as domain from "../../domain/errors.js"
import * as http from "./errors.js"

interface TaggedErrorClass<A, I> extends Schema.Schema<A, I> {
  readonly _tag: string
}

/** The sentence goes along for those who read it without this library. */
const failure = <A extends Error, I extends object>(
  status: number,
  error: TaggedErrorClass<A, I>,
  which: (error: A) => boolean = () => true
): Schema.Schema<A, I & { readonly message?: string | undefined }> =>
  Schema.transformOrFail(
    Schema.extend(Schema.encodedSchema(error), Schema.Struct({ message: Schema.optional(Schema.String) })).annotations({
      identifier: error._tag
    }),
    Schema.typeSchema(error).pipe(Schema.filter(which)),
    {
      strict: true,
      decode: (encoded) => ParseResult.decodeUnknown(error)(encoded),
      encode: (error_) =>
        ParseResult.map(ParseResult.encode(error)(error_), (encoded) => ({ ...encoded, message: error_.message }))
    }
  ).annotations(HttpApiSchema.annotations({ status }))

export const InvalidJobConfig = failure(422, domain.InvalidJobConfig)
export const JobConflict = failure(409, domain.JobConflict)
export const JobNotFound = failure(404, domain.JobNotFound)
export const MaxJobsReached = failure(429, domain.MaxJobsReached)
export const NotResumable = failure(409, domain.NotResumable)
export const ShuttingDown = failure(503, domain.ShuttingDown)
export const StopTimedOut = failure(504, domain.StopTimedOut)

const transient: ReadonlyArray<domain.StoreError["reason"]> = ["busy", "closed"]

export const StoreFull = failure(507, domain.StoreError, ({ reason }) => reason === "full")
export const StoreAway = failure(503, domain.StoreError, ({ reason }) => transient.includes(reason))
export const StoreInvalid = failure(400, domain.StoreError, ({ reason }) => reason === "invalid")
export const StoreBroken = failure(
  500,
  domain.StoreError,
  ({ reason }) => reason !== "full" && reason !== "invalid" && !transient.includes(reason)
)

export const CursorAhead = failure(400, http.CursorAhead)
export const IdempotencyKeyReused = failure(422, http.IdempotencyKeyReused)
export const InternalError = failure(500, http.InternalError)
export const InvalidQuery = failure(400, http.InvalidQuery)
export const LogNotFound = failure(404, http.LogNotFound)
export const NoSuchRoute = failure(404, http.NoSuchRoute)
export const NotReady = failure(503, http.NotReady)
export const VersionMismatch = failure(412, http.VersionMismatch)

const refused = (status: number, ...reasons: ReadonlyArray<http.Refusal>) =>
  failure(status, http.RequestRefused, ({ reason }) => reasons.includes(reason))

export const Malformed = refused(400, "address", "depth", "json")
export const Unauthorized = refused(401, "token")
export const Forbidden = refused(403, "host", "origin", "site")
export const TooLarge = refused(413, "size")
export const TooManyHeaders = refused(431, "headers")
export const NotJson = refused(415, "content")
export const TooMany = refused(503, "limit")
