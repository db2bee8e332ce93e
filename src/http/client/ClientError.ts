/**
 * Translates the errors of `HttpClient` and of Node into the errors of this package.
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
 * Errors that every request may fail with.
 *
 * @since 0.1.0
 * @category errors
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

/** The errors of the connection and of the derived client, which `translateErrors` replaces. */
export type TransportError = HttpApiDecodeError | HttpClientError | NoSuchRoute | ParseResult.ParseError

const tags: ReadonlyArray<unknown> = [
  "HttpApiDecodeError",
  "NoSuchRoute",
  "ParseError",
  "RequestError",
  "ResponseError"
] satisfies ReadonlyArray<TransportError["_tag"]>

export interface Tagged {
  readonly _tag: string
}

const isTransportError = (error: Tagged): error is TransportError => tags.includes(error._tag)

const isApiError = <E extends Tagged>(error: E): error is Exclude<E, TransportError> => !isTransportError(error)

const codeOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "code" in cause ? String(cause.code) : undefined

/** No socket, or no process that listens on it. */
const notListening = ["ECONNREFUSED", "ENOENT"]

/** Translates a system error of Node. */
export const fromNode = (address: string, cause: unknown): ConnectionFailed | DaemonNotRunning => {
  const code = codeOf(cause)
  if (code !== undefined && notListening.includes(code)) return new DaemonNotRunning({ address })
  return new ConnectionFailed({ address, problem: code ?? (cause instanceof Error ? cause.message : String(cause)) })
}

export const noResponse = (address: string, timeout: string): ConnectionFailed =>
  new ConnectionFailed({ address, problem: `no response for ${timeout}` })

export const withTimeout =
  (address: string, timeout: Duration.DurationInput & string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | ConnectionFailed, R> =>
    Effect.timeoutFail(effect, { duration: timeout, onTimeout: () => noResponse(address, timeout) })

/** The first issue of a parse error, in one line. */
export const firstIssue = (error: ParseResult.ParseError): string => {
  const [first] = ParseResult.ArrayFormatter.formatErrorSync(error)
  return first === undefined ? "invalid value" : [first.path.join("."), first.message].filter(Boolean).join(": ")
}

export const translate =
  (address: string) =>
  (error: Tagged): ClientError => {
    if (!isTransportError(error)) return new UnexpectedAnswer({ address, problem: error._tag })
    switch (error._tag) {
      case "RequestError":
        return error.reason === "Transport"
          ? fromNode(address, error.cause)
          : new InvalidRequest({ problem: error.message })
      case "ResponseError":
        // The cause of a truncated body is a system error.
        return codeOf(error.cause) === undefined
          ? new UnexpectedAnswer({ address, problem: `status ${error.response.status}` })
          : fromNode(address, error.cause)
      case "ParseError":
        return new InvalidRequest({ problem: firstIssue(error) })
      case "HttpApiDecodeError":
        return new InvalidRequest({ problem: error.message })
      case "NoSuchRoute":
        return new UnexpectedAnswer({ address, problem: error.message })
    }
  }

/** Translates transport errors and passes the errors of the API on. */
export const translateErrors =
  (address: string) =>
  <A, E extends Tagged, R>(
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, Exclude<E, TransportError> | ClientError, R> =>
    Effect.mapError(effect, (error) => (isApiError(error) ? error : translate(address)(error)))
