/**
 * A typed client for the HTTP API, derived from its contract.
 *
 * @since 0.1.0
 */
import { Context, Effect, Layer, type Scope } from "effect"
import type { ConnectionFailed, DaemonNotRunning } from "../contract/errors.js"
import type * as Connection from "./Connection.js"
import * as Derived from "./Derived.js"
import type { Service } from "./JobClientService.js"
import * as jobRequests from "./jobRequests.js"

export { type KindClient, type KindClientTag, type KindPage, type KindService, of } from "./KindClient.js"
export type * from "./JobClientService.js"
export type { RemoteTarget, Target } from "./Connection.js"
export type { FollowError } from "./EventSource.js"
export type { ClientError } from "./ClientError.js"

/**
 * A client for the HTTP API.
 *
 * @since 0.1.0
 * @category tags
 */
export class JobClient extends Context.Tag("charlotte/http/JobClient")<JobClient, Service>() {}

/**
 * A client that lives as long as the scope. It connects with its first request.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  target: Connection.Target
): Effect.Effect<Service, ConnectionFailed | DaemonNotRunning, Scope.Scope> =>
  Effect.map(Derived.make(target), jobRequests.make)

/**
 * A client for the server on a unix socket or a port, or at a URL. It connects with its first request; if the server is not running, that
 * request fails with `DaemonNotRunning`.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { JobClient } from "charlotte/http"
 * import { Console, Effect, Stream } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const client = yield* JobClient.JobClient
 *   const id = yield* client.start({ repoPath: "/home/me/project", tasksDir: "tasks", targetBranch: "main" })
 *   yield* Stream.runForEach(client.events(id), ({ seq, type }) => Console.log(seq, type))
 * }).pipe(Effect.provide(JobClient.layer({ socket: "/home/me/.charlotte/socket" })))
 */
export const layer = (target: Connection.Target): Layer.Layer<JobClient, ConnectionFailed | DaemonNotRunning> =>
  Layer.scoped(JobClient, make(target))
