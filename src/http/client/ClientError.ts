/**
 * What goes wrong between a client and its server, told in words of our own.
 */
import type { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import { type Duration, Effect, ParseResult } from "effect"
import type { ShuttingDown } from "../../domain/errors.js"
import {
  ConnectionFailed,
  DaemonNotRunning,
  type InternalError,
  InvalidRequest,
  type NoSuchRoute,
  type RequestRefused,
  UnexpectedAnswer,
  type VersionMismatch
} from "../contract/errors.js"

/**
 * What may go wrong with every request, whatever it asks for.
 *
 * @since 0.1.0
 */
export type ClientError =
  | ConnectionFailed
  | DaemonNotRunning
  | InternalError
  | InvalidRequest
  | RequestRefused
  | ShuttingDown
  | UnexpectedAnswer
  | VersionMismatch

type Technical = HttpApiDecodeError | HttpClientError | NoSuchRoute | ParseResult.ParseError

const tags: ReadonlyArray<unknown> = [
  "HttpApiDecodeError",
  "NoSuchRoute",
  "ParseError",
  "RequestError",
  "ResponseError"
] satisfies ReadonlyArray<Technical["_tag"]>

interface Tagged {
  readonly _tag: string
}

const isTechnical = (error: Tagged): error is Technical => tags.includes(error._tag)

const isOther = <E extends Tagged>(error: E): error is Exclude<E, Technical> => !isTechnical(error)

const codeOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "code" in cause ? String(cause.code) : undefined

/** Nobody is there: no socket, or one that nobody listens on. */
const absent = ["ECONNREFUSED", "ENOENT"]

/** An error of Node's. */
export const fromNode = (address: string, cause: unknown): ConnectionFailed | DaemonNotRunning => {
  const code = codeOf(cause)
  if (code !== undefined && absent.includes(code)) return new DaemonNotRunning({ address })
  return new ConnectionFailed({ address, problem: code ?? (cause instanceof Error ? cause.message : String(cause)) })
}

export const silent = (address: string, patience: string): ConnectionFailed =>
  new ConnectionFailed({ address, problem: `nothing was heard for ${patience}` })

/** Fails when there is no answer after so long. */
export const inTime =
  (address: string, patience: Duration.DurationInput & string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | ConnectionFailed, R> =>
    Effect.timeoutFail(effect, { duration: patience, onTimeout: () => silent(address, patience) })

/** What is wrong with something, in one line: the first of all that is. */
export const problemOf = (error: ParseResult.ParseError): string => {
  const [first] = ParseResult.ArrayFormatter.formatErrorSync(error)
  return first === undefined
    ? "it is not as it must be"
    : [first.path.join("."), first.message].filter(Boolean).join(": ")
}

/** An error of a client, in the words of this package. */
export const translate =
  (address: string) =>
  (error: Tagged): ClientError => {
    if (!isTechnical(error)) return new UnexpectedAnswer({ address, problem: error._tag })
    switch (error._tag) {
      case "RequestError":
        return error.reason === "Transport"
          ? fromNode(address, error.cause)
          : new InvalidRequest({ problem: error.message })
      case "ResponseError":
        // A body that ends early has an error of Node as its cause.
        return codeOf(error.cause) === undefined
          ? new UnexpectedAnswer({ address, problem: `status ${error.response.status}` })
          : fromNode(address, error.cause)
      case "ParseError":
        return new InvalidRequest({ problem: problemOf(error) })
      case "HttpApiDecodeError":
        return new InvalidRequest({ problem: error.message })
      case "NoSuchRoute":
        return new UnexpectedAnswer({ address, problem: error.message })
    }
  }

/** Translates the errors of `HttpClient`, which leave the type. */
export const translated =
  (address: string) =>
  <A, E extends Tagged, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, Exclude<E, Technical> | ClientError, R> =>
    Effect.mapError(effect, (error) => (isOther(error) ? error : translate(address)(error)))
