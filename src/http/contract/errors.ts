/**
 * What can go wrong between a client and a server, beside the errors of the domain.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { version } from "./Version.js"

const refusals = {
  address: "the request has to name a path of this server",
  depth: "the body is nested more than 100 levels deep",
  headers: "the request has more than 100 headers",
  content: "the body has to be JSON, with content-type: application/json",
  host: "the Host header has to be the address that the server listens on",
  json: "the body is not JSON",
  limit: "the server has as many event streams open as it allows; close one or try again later",
  origin: "requests from other origins are not taken",
  site: "requests from other sites are not taken",
  size: "the body is larger than the server takes (1 MiB when nothing else is set)",
  token: "the token is missing or wrong; send it as authorization: Bearer TOKEN"
}

/** @since 0.1.0 */
export type Refusal = keyof typeof refusals

/** A request was turned away before anybody looked at what it asks for. */
export class RequestRefused extends Schema.TaggedError<RequestRefused>()("RequestRefused", {
  reason: Schema.Literal(
    "address",
    "content",
    "depth",
    "headers",
    "host",
    "json",
    "limit",
    "origin",
    "site",
    "size",
    "token"
  )
}) {
  override get message() {
    return refusals[this.reason]
  }
}

/** A client of another version; nothing was done. */
export class VersionMismatch extends Schema.TaggedError<VersionMismatch>()("VersionMismatch", {
  client: Schema.String,
  daemon: Schema.String
}) {
  override get message() {
    return `this is charlotte ${this.client}, and the daemon is ${this.daemon}; restart it with: charlotte daemon restart`
  }
}

/** There is nothing at that address. */
export class NoSuchRoute extends Schema.TaggedError<NoSuchRoute>()("NoSuchRoute", {
  method: Schema.String,
  path: Schema.String
}) {
  override get message() {
    return `there is no ${this.method} ${this.path}; see /docs`
  }
}

/** A query parameter does not go with the others, or asks for what there is not. */
export class InvalidQuery extends Schema.TaggedError<InvalidQuery>()("InvalidQuery", {
  parameter: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.parameter}: ${this.problem}`
  }
}

/** Events were asked for after one that has not happened. */
export class CursorAhead extends Schema.TaggedError<CursorAhead>()("CursorAhead", {
  after: Schema.Int
}) {
  override get message() {
    return `no event has the number ${this.after} yet; begin after one that you have seen, or after 0`
  }
}

/** The key was used for another submission; nothing was started. */
export class IdempotencyKeyReused extends Schema.TaggedError<IdempotencyKeyReused>()("IdempotencyKeyReused", {
  key: Schema.String,
  /** The job that was started with it. */
  jobId: Schema.String
}) {
  override get message() {
    return `the idempotency key ${this.key} belongs to job ${this.jobId}, which was submitted with another body`
  }
}

/** There is no such log, or none that may be shown. */
export class LogNotFound extends Schema.TaggedError<LogNotFound>()("LogNotFound", {
  jobId: Schema.String,
  /** What was asked for. */
  log: Schema.String
}) {
  override get message() {
    return `job ${this.jobId} has no log of ${this.log}`
  }
}

/** The server runs, but what it does would not be recorded. */
export class NotReady extends Schema.TaggedError<NotReady>()("NotReady", {
  problems: Schema.Array(Schema.String)
}) {
  override get message() {
    return `not ready: ${this.problems.join("; ")}`
  }
}

/** A bug. The server's log says more. */
export class InternalError extends Schema.TaggedError<InternalError>()("InternalError", {}) {
  override get message() {
    return "something went wrong in the server; its log says more"
  }
}

/** Nobody listens there. */
export class DaemonNotRunning extends Schema.TaggedError<DaemonNotRunning>()("DaemonNotRunning", {
  address: Schema.String
}) {
  override get message() {
    return `no daemon listens on ${this.address}; start it with: charlotte daemon start`
  }
}

/** The server could not be reached, or went away before it had answered. */
export class ConnectionFailed extends Schema.TaggedError<ConnectionFailed>()("ConnectionFailed", {
  address: Schema.String,
  /** Such as `EACCES`. */
  problem: Schema.String
}) {
  override get message() {
    return `the connection to ${this.address} failed: ${this.problem}`
  }
}

/** An answer that is none of this contract. */
export class UnexpectedAnswer extends Schema.TaggedError<UnexpectedAnswer>()("UnexpectedAnswer", {
  address: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.address} does not answer like a daemon of charlotte ${version}: ${this.problem}`
  }
}

/** What was asked for cannot be put into a request. */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()("InvalidRequest", {
  problem: Schema.String
}) {
  override get message() {
    return `no such request can be sent: ${this.problem}`
  }
}

export { ListenError } from "../server/ListenError.js"
