/**
 * What a server says when it does not send the stream that it was asked for.
 */
import { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import { Effect, Schema } from "effect"
import * as Failure from "../contract/errorSchemas.js"
import { UnexpectedAnswer } from "../contract/errors.js"
import * as Trouble from "./ClientError.js"

const OfAny = Schema.Union(
  Failure.Forbidden,
  Failure.InternalError,
  Failure.JobNotFound,
  Failure.Malformed,
  Failure.NoSuchRoute,
  Failure.ShuttingDown,
  Failure.StoreAway,
  Failure.StoreBroken,
  Failure.StoreFull,
  Failure.TooMany,
  Failure.TooManyHeaders,
  Failure.Unauthorized,
  Failure.VersionMismatch,
  HttpApiDecodeError
)

/** Fails with what the body of the answer says. */
const refused = <A extends { readonly _tag: string }, I>(refusals: Schema.Schema<A, I>) => {
  const decode = Schema.decode(Schema.parseJson(refusals))
  return (address: string, response: HttpClientResponse) =>
    Effect.gen(function* () {
      const refusal = yield* Effect.mapError(
        decode(yield* response.text),
        () => new UnexpectedAnswer({ address, problem: `status ${response.status}` })
      )
      return yield* Effect.fail(refusal)
    }).pipe(Trouble.translated(address))
}

export const ofEvents = refused(Schema.Union(OfAny, Failure.CursorAhead))

export const ofLog = refused(Schema.Union(OfAny, Failure.InvalidQuery, Failure.LogNotFound))
