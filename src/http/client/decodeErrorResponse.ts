/**
 * What a server says when it does not send the stream that it was asked for.
 */
import { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import { Effect, Schema } from "effect"
import type { IncomingMessage } from "node:http"
import * as Failure from "../contract/errorSchemas.js"
import { UnexpectedAnswer } from "../contract/errors.js"
import * as Connection from "./Connection.js"
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
  return (address: string, response: IncomingMessage) =>
    Effect.gen(function* () {
      const body = yield* Effect.mapError(Connection.read(response), (cause) => Trouble.fromNode(address, cause))
      const refusal = yield* Effect.mapError(
        decode(body.toString("utf8")),
        () => new UnexpectedAnswer({ address, problem: `status ${response.statusCode}` })
      )
      return yield* Effect.fail(refusal)
    }).pipe(Trouble.translated(address))
}

export const ofEvents = refused(Schema.Union(OfAny, Failure.CursorAhead))

export const ofLog = refused(Schema.Union(OfAny, Failure.InvalidQuery, Failure.LogNotFound))
