/**
 * The contract: server, client, OpenAPI document and docs page are all made from it.
 *
 * @since 0.1.0
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Daemon from "./Daemon.js"
import * as Events from "./Events.js"
import * as Failure from "./errorSchemas.js"
import * as Jobs from "./Jobs.js"
import { describe } from "./openApi.js"
import { version } from "./Version.js"

export { Health, Ready } from "./Daemon.js"
export { Job, JobPage, ListedJob, Submitted } from "./Jobs.js"

/**
 * Jobs and their events, for the API of an application: `HttpApi.make("app").addHttpApi(JobsApi.JobsApi)`.
 *
 * @since 0.1.0
 */
export class JobsApi extends HttpApi.make("charlotte")
  .add(Jobs.group)
  .add(Events.group)
  .addError(Failure.Malformed)
  .addError(Failure.NotJson)
  .addError(Failure.TooLarge)
  .prefix("/api/v1") {}

/**
 * All that a server of Charlotte's own answers to.
 *
 * @since 0.1.0
 */
export class Api extends HttpApi.make("charlotte")
  .addHttpApi(JobsApi)
  .add(Daemon.group)
  .addError(Failure.Forbidden)
  .addError(Failure.InternalError)
  .addError(Failure.NoSuchRoute)
  .addError(Failure.ShuttingDown)
  .addError(Failure.TooManyHeaders)
  .addError(Failure.Unauthorized)
  .addError(Failure.VersionMismatch)
  .annotateContext(
    OpenApi.annotations({
      title: "Charlotte",
      version,
      description: "Jobs that outlive terminals: start them, watch them, stop them.",
      // A port needs the token, and a socket none.
      transform: (document) =>
        describe({
          ...document,
          security: [{}, { token: [] }],
          components: { ...document["components"], securitySchemes: { token: { type: "http", scheme: "bearer" } } }
        })
    })
  ) {}
