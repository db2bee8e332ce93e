/**
 * Errors on the wire: each with its `message` and its HTTP status.
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import { ParseResult, Schema } from "effect"
import * as domain from "../../domain/errors.js"
import * as http from "./errors.js"

interface TaggedErrorClass<A, I> extends Schema.Schema<A, I> {
  readonly _tag: string
}

/**
 * Adds the message to the encoded error, for clients that do not use this library. Built lazily: a request can fail with only a few
 * of these errors.
 */
const withStatus = <A extends Error, I extends object>(
  status: number,
  error: TaggedErrorClass<A, I>,
  predicate: (error: A) => boolean = () => true
): Schema.Schema<A, I & { readonly message?: string | undefined }> =>
  Schema.suspend(() =>
    Schema.transformOrFail(
      Schema.extend(
        Schema.encodedSchema(error),
        Schema.Struct({ message: Schema.optional(Schema.String) })
      ).annotations({
        identifier: error._tag
      }),
      Schema.typeSchema(error).pipe(Schema.filter(predicate)),
      {
        strict: true,
        decode: (encoded) => ParseResult.decodeUnknown(error)(encoded),
        encode: (error_) =>
          ParseResult.map(ParseResult.encode(error)(error_), (encoded) => ({ ...encoded, message: error_.message }))
      }
    )
  ).annotations({ ...HttpApiSchema.annotations({ status }), identifier: error._tag })

export const InvalidJobConfig = withStatus(422, domain.InvalidJobConfig)
export const JobConflict = withStatus(409, domain.JobConflict)
export const JobNotFound = withStatus(404, domain.JobNotFound)
export const KindPaused = withStatus(409, domain.KindPaused)
export const MaxJobsReached = withStatus(429, domain.MaxJobsReached)
export const NotResumable = withStatus(409, domain.NotResumable)
export const NotReschedulable = withStatus(409, domain.NotReschedulable)
export const NotRemovable = withStatus(409, domain.NotRemovable)
export const NotRetryable = withStatus(409, domain.NotRetryable)
export const QueueFull = withStatus(429, domain.QueueFull)
export const JobEnded = withStatus(409, domain.JobEnded)
export const AlreadyAnswered = withStatus(409, domain.AlreadyAnswered)
export const NoOpenQuestion = withStatus(409, domain.NoOpenQuestion)
export const InvalidSignal = withStatus(422, domain.InvalidSignal)
export const TooManySignals = withStatus(429, domain.TooManySignals)
export const ScheduleNotFound = withStatus(404, domain.ScheduleNotFound)
export const ScheduleNotLive = withStatus(409, domain.ScheduleNotLive)
export const SubscriberInUse = withStatus(409, domain.SubscriberInUse)
export const SubscriberNotFound = withStatus(404, domain.SubscriberNotFound)
export const ShuttingDown = withStatus(503, domain.ShuttingDown)
export const StopTimedOut = withStatus(504, domain.StopTimedOut)

const transient: ReadonlyArray<domain.StoreError["reason"]> = ["busy", "unreachable", "closed"]

export const StoreFull = withStatus(507, domain.StoreError, ({ reason }) => reason === "full")
export const StoreUnavailable = withStatus(503, domain.StoreError, ({ reason }) => transient.includes(reason))
export const StoreInvalid = withStatus(400, domain.StoreError, ({ reason }) => reason === "invalid")
export const StoreFailed = withStatus(
  500,
  domain.StoreError,
  ({ reason }) => reason !== "full" && reason !== "invalid" && !transient.includes(reason)
)

export const CursorAhead = withStatus(400, http.CursorAhead)
export const IdempotencyKeyReused = withStatus(422, http.IdempotencyKeyReused)
export const InvalidCode = withStatus(403, http.InvalidCode)
export const InternalError = withStatus(500, http.InternalError)
export const InvalidQuery = withStatus(400, http.InvalidQuery)
export const LogNotFound = withStatus(404, http.LogNotFound)
export const NoSuchKind = withStatus(404, http.NoSuchKind)
export const NoSuchRoute = withStatus(404, http.NoSuchRoute)
export const NotReady = withStatus(503, http.NotReady)
export const PageUnavailable = withStatus(503, http.PageUnavailable)
export const SessionNotFound = withStatus(404, http.SessionNotFound)
export const StepNotFound = withStatus(404, http.StepNotFound)
export const TooManyTries = withStatus(429, http.TooManyTries)
export const VersionMismatch = withStatus(412, http.VersionMismatch)

const noDiff = (status: number, ...reasons: ReadonlyArray<http.DiffUnavailable["reason"]>) =>
  withStatus(status, http.DiffUnavailable, ({ reason }) => reasons.includes(reason))

export const DiffUnavailable = Schema.Union(
  noDiff(404, "noRepository", "noSuchUnit", "noSuchTask"),
  noDiff(409, "noCommit", "notBegun", "repository"),
  noDiff(410, "gone")
)

export const ApprovalRefused = Schema.Union(
  withStatus(404, http.ApprovalRefused, ({ reason }) => reason === "noSuchUnit"),
  withStatus(409, http.ApprovalRefused, ({ reason }) => reason !== "noSuchUnit")
)

const refused = (status: number, ...reasons: ReadonlyArray<http.Refusal>) =>
  withStatus(status, http.RequestRefused, ({ reason }) => reasons.includes(reason))

export const Malformed = refused(400, "address", "depth", "json")
export const Unauthorized = refused(401, "session", "token")
export const Forbidden = refused(403, "host", "origin", "right", "scope", "site")
export const TooLarge = refused(413, "size")
export const TooManyHeaders = refused(431, "headers")
export const NotJson = refused(415, "content")
export const TooManyStreams = refused(503, "limit")

/** The errors of a database, except for invalid arguments. */
export const Store = Schema.Union(StoreFull, StoreUnavailable, StoreFailed)

/** The errors of a start. */
export const Start = Schema.Union(
  InvalidJobConfig,
  IdempotencyKeyReused,
  JobConflict,
  KindPaused,
  MaxJobsReached,
  QueueFull,
  ShuttingDown
)

/** The errors of every request to a server. */
export const Server = Schema.Union(
  Forbidden,
  InternalError,
  NoSuchRoute,
  ShuttingDown,
  TooManyHeaders,
  Unauthorized,
  VersionMismatch
)
