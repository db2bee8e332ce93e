/**
 * Decodes the error in the response to a request for a stream. The derived client cannot do it: it reads whole bodies.
 */
import { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import { Effect, Schema } from "effect"
import * as errorSchemas from "../contract/errorSchemas.js"
import { UnexpectedAnswer } from "../contract/errors.js"
import * as ClientError from "./ClientError.js"

const CommonError = Schema.Union(
  errorSchemas.Server,
  errorSchemas.JobNotFound,
  errorSchemas.Malformed,
  errorSchemas.Store,
  errorSchemas.TooManyStreams,
  HttpApiDecodeError
)

/** Fails with the error in the response body. */
const decodeError = <A extends { readonly _tag: string }, I>(errors: Schema.Schema<A, I>) => {
  const decode = Schema.decode(Schema.parseJson(errors))
  return (address: string, response: HttpClientResponse) =>
    Effect.gen(function* () {
      const error = yield* Effect.mapError(
        decode(yield* response.text),
        () => new UnexpectedAnswer({ address, problem: `status ${response.status}` })
      )
      return yield* Effect.fail(error)
    }).pipe(ClientError.translateErrors(address))
}

export const decodeEventsError = decodeError(
  Schema.Union(CommonError, errorSchemas.CursorAhead, errorSchemas.NoSuchKind)
)

export const decodeExportError = decodeError(CommonError)

export const decodeLogError = decodeError(
  Schema.Union(CommonError, errorSchemas.InvalidQuery, errorSchemas.LogNotFound)
)
