/**
 * Errors of HTTP requests, in addition to `charlotte/errors`.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { RunStatus } from "../../domain/RunStatus.js"
import { version } from "./Version.js"

const refusals = {
  address: "the request target must be a path of this server",
  depth: "the body is nested more than 100 levels deep",
  headers: "the request has more than 100 headers",
  content: "the body must be JSON, sent with content-type: application/json",
  host: "the Host header must be the address that the server listens on",
  json: "the body is not valid JSON",
  limit: "too many event streams are open; close one or try again later",
  origin: "cross-origin requests are not allowed",
  right: "you may see jobs here, but not change them",
  scope: "the application does not say which jobs you may see",
  session: "you are not signed in",
  site: "cross-site requests are not allowed",
  size: "the body is larger than the server accepts (1 MiB by default)",
  token: "the token is missing or wrong; send it as authorization: Bearer TOKEN"
}

/**
 * Why a request was refused: which check it failed.
 *
 * @since 0.1.0
 * @category errors
 */
export type Refusal = keyof typeof refusals

/**
 * A request failed one of the checks before its handler.
 *
 * @since 0.1.0
 * @category errors
 */
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
    "right",
    "scope",
    "session",
    "site",
    "size",
    "token"
  )
}) {
  override get message() {
    return refusals[this.reason]
  }
}

/**
 * Client and daemon have different versions; nothing was changed.
 *
 * @since 0.1.0
 * @category errors
 */
export class VersionMismatch extends Schema.TaggedError<VersionMismatch>()("VersionMismatch", {
  client: Schema.String,
  daemon: Schema.String
}) {
  override get message() {
    return `this is charlotte ${this.client}, and the daemon is ${this.daemon}; restart it with: charlotte daemon restart`
  }
}

/**
 * The API has no such route.
 *
 * @since 0.1.0
 * @category errors
 */
export class NoSuchRoute extends Schema.TaggedError<NoSuchRoute>()("NoSuchRoute", {
  method: Schema.String,
  path: Schema.String
}) {
  override get message() {
    return `no route ${this.method} ${this.path}; see /docs`
  }
}

/**
 * The server has no jobs of that kind.
 *
 * @since 0.2.0
 * @category errors
 */
export class NoSuchKind extends Schema.TaggedError<NoSuchKind>()("NoSuchKind", {
  kind: Schema.String,
  /** The kinds that it has. */
  kinds: Schema.Array(Schema.String)
}) {
  override get message() {
    return `this server has no jobs of kind "${this.kind}"; it has ${this.kinds.join(", ")}`
  }
}

/**
 * A query parameter is missing, or contradicts another one.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidQuery extends Schema.TaggedError<InvalidQuery>()("InvalidQuery", {
  parameter: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.parameter}: ${this.problem}`
  }
}

/**
 * The position is after the last event.
 *
 * @since 0.1.0
 * @category errors
 */
export class CursorAhead extends Schema.TaggedError<CursorAhead>()("CursorAhead", {
  after: Schema.Int
}) {
  override get message() {
    return `there is no event ${this.after} yet; use the position of an event that you have received, or 0`
  }
}

/**
 * The log does not exist, or is outside the directory of logs.
 *
 * @since 0.1.0
 * @category errors
 */
export class LogNotFound extends Schema.TaggedError<LogNotFound>()("LogNotFound", {
  jobId: Schema.String,
  /** The requested file or task. */
  log: Schema.String
}) {
  override get message() {
    return `job ${this.jobId} has no log of ${this.log}`
  }
}

/**
 * The job has recorded no step of that name.
 *
 * @since 0.2.0
 * @category errors
 */
export class StepNotFound extends Schema.TaggedError<StepNotFound>()("StepNotFound", {
  jobId: Schema.String,
  step: Schema.String
}) {
  override get message() {
    return `job ${this.jobId} has recorded no step ${this.step}`
  }
}

const noDiff = {
  noRepository: "it does not work in a repository",
  noSuchUnit: "it has no such unit",
  noSuchTask: "the unit has no such task",
  noCommit: "the task has no commit",
  notBegun: "its repository was not read yet",
  gone: "git no longer has its commits",
  repository: "its repository cannot be read"
}

/**
 * There is nothing to compare.
 *
 * - `noRepository`: the kind of the job has none
 * - `noSuchUnit`: the job has no unit of that name
 * - `noSuchTask`: the unit has no task of that number
 * - `noCommit`: the task is not done yet, has failed, or was complete when the job was submitted
 * - `notBegun`: the job ended, or waits, before its repository was read
 * - `gone`: the commits were removed, for example by `charlotte prune --discard` and git's garbage collection
 * - `repository`: it was moved or replaced, or git failed
 *
 * @since 0.2.0
 * @category errors
 */
export class DiffUnavailable extends Schema.TaggedError<DiffUnavailable>()("DiffUnavailable", {
  jobId: Schema.String,
  reason: Schema.Literal("noRepository", "noSuchUnit", "noSuchTask", "noCommit", "notBegun", "gone", "repository"),
  unit: Schema.optional(Schema.String),
  task: Schema.optional(Schema.Int.pipe(Schema.positive())),
  /** The error message of git. */
  problem: Schema.optional(Schema.String)
}) {
  override get message() {
    const unit = this.unit === undefined ? "" : `unit ${this.unit} of `
    const task = this.task === undefined ? "" : `task ${this.task} of `
    const problem = this.problem === undefined ? "" : `: ${this.problem}`
    return `there is no diff of ${task}${unit}job ${this.jobId}: ${noDiff[this.reason]}${problem}`
  }
}

/**
 * The result of the job was neither approved nor rejected.
 *
 * - `notWaiting`: the job does not wait for approval; `status` is the status of the job
 * - `otherCommit`: it waits for the approval of another commit, `result`
 * - `decided`: another decision about that commit came first
 * - `noSuchUnit`: the job has no unit of that name
 *
 * @since 0.2.0
 * @category errors
 */
export class ApprovalRefused extends Schema.TaggedError<ApprovalRefused>()("ApprovalRefused", {
  jobId: Schema.String,
  reason: Schema.Literal("notWaiting", "otherCommit", "decided", "noSuchUnit"),
  status: Schema.optional(RunStatus),
  /** A commit. */
  result: Schema.optional(Schema.String),
  unit: Schema.optional(Schema.String)
}) {
  override get message() {
    const { jobId, reason, result, status, unit } = this
    switch (reason) {
      case "notWaiting":
        return `job ${jobId} does not wait for approval: it is ${status}`
      case "otherCommit":
        return `job ${jobId} waits for the approval of another commit, ${result}: look at its changes again`
      case "decided":
        return `the result of job ${jobId} at commit ${result} was decided on before`
      case "noSuchUnit":
        return `job ${jobId} has no unit ${unit}`
    }
  }
}

/**
 * The server is up but cannot run or record jobs.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotReady extends Schema.TaggedError<NotReady>()("NotReady", {
  problems: Schema.Array(Schema.String)
}) {
  override get message() {
    return `not ready: ${this.problems.join("; ")}`
  }
}

/**
 * A bug in the server; its log has the cause.
 *
 * @since 0.1.0
 * @category errors
 */
export class InternalError extends Schema.TaggedError<InternalError>()("InternalError", {}) {
  override get message() {
    return "internal error; see the log of the server"
  }
}

/**
 * The one-time code of a page cannot be used.
 *
 * @since 0.2.0
 * @category errors
 */
export class InvalidCode extends Schema.TaggedError<InvalidCode>()("InvalidCode", {}) {
  override get message() {
    return "the code is wrong, was used before, or is more than a minute old; open the page again with: charlotte open"
  }
}

/**
 * Too many wrong codes within a minute.
 *
 * @since 0.2.0
 * @category errors
 */
export class TooManyTries extends Schema.TaggedError<TooManyTries>()("TooManyTries", {}) {
  override get message() {
    return "too many wrong codes; wait a minute, then open the page again with: charlotte open"
  }
}

/**
 * The session of a page has ended, or there was none.
 *
 * @since 0.2.0
 * @category errors
 */
export class SessionNotFound extends Schema.TaggedError<SessionNotFound>()("SessionNotFound", {}) {
  override get message() {
    return "there is no such session, or it has ended; open the page again with: charlotte open"
  }
}

/**
 * The port of the page cannot be opened. No other port is used instead, since open pages and bookmarks lead to this one.
 *
 * @since 0.2.0
 * @category errors
 */
export class PageUnavailable extends Schema.TaggedError<PageUnavailable>()("PageUnavailable", {
  address: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `the page cannot be served on ${this.address}: ${this.problem}; free that port, or choose another one with: charlotte daemon restart --listen 127.0.0.1:0`
  }
}

/**
 * No server listens on the address.
 *
 * @since 0.1.0
 * @category errors
 */
export class DaemonNotRunning extends Schema.TaggedError<DaemonNotRunning>()("DaemonNotRunning", {
  address: Schema.String
}) {
  override get message() {
    return `no server listens on ${this.address}`
  }
}

/**
 * The server could not be reached, or closed the connection before it responded.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectionFailed extends Schema.TaggedError<ConnectionFailed>()("ConnectionFailed", {
  address: Schema.String,
  /** For example `EACCES`. */
  problem: Schema.String
}) {
  override get message() {
    return `the connection to ${this.address} failed: ${this.problem}`
  }
}

/**
 * A response that does not match the contract.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnexpectedAnswer extends Schema.TaggedError<UnexpectedAnswer>()("UnexpectedAnswer", {
  address: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `unexpected response from ${this.address}, not that of a charlotte ${version} daemon: ${this.problem}`
  }
}

/**
 * The request cannot be encoded.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()("InvalidRequest", {
  problem: Schema.String
}) {
  override get message() {
    return `invalid request: ${this.problem}`
  }
}

export { IdempotencyKeyReused } from "../../domain/errors.js"
export { ListenError } from "../server/ListenError.js"
