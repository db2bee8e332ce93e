/**
 * The contract, from which server, client, OpenAPI document and docs page are derived.
 *
 * @since 0.1.0
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Daemon from "./Daemon.js"
import * as Events from "./Events.js"
import * as errorSchemas from "./errorSchemas.js"
import * as Jobs from "./Jobs.js"
import { describe } from "./openApi.js"
import { version } from "./Version.js"

export { Health, Ready } from "./Daemon.js"
export { Job, JobPage, ListedJob, Submitted } from "./Jobs.js"

/**
 * The endpoints of jobs and their events, for an application's own API: `HttpApi.make("app").addHttpApi(JobsApi.JobsApi)`.
 *
 * @since 0.1.0
 * @category api
 */
export class JobsApi extends HttpApi.make("charlotte")
  .add(Jobs.group)
  .add(Events.group)
  .addError(errorSchemas.Malformed)
  .addError(errorSchemas.NotJson)
  .addError(errorSchemas.TooLarge)
  .prefix("/api/v1") {}

/**
 * The API of `Server.layer`: `JobsApi` and the endpoints of the daemon.
 *
 * @since 0.1.0
 * @category api
 */
export class Api extends HttpApi.make("charlotte")
  .addHttpApi(JobsApi)
  .add(Daemon.group)
  .addError(errorSchemas.Forbidden)
  .addError(errorSchemas.InternalError)
  .addError(errorSchemas.NoSuchRoute)
  .addError(errorSchemas.ShuttingDown)
  .addError(errorSchemas.TooManyHeaders)
  .addError(errorSchemas.Unauthorized)
  .addError(errorSchemas.VersionMismatch)
  .annotateContext(
    OpenApi.annotations({
      title: "Charlotte",
      version,
      description: "Jobs that outlive terminals: start them, watch them, stop them.",
      // The token is required on a TCP port only.
      transform: (document) =>
        describe({
          ...document,
          security: [{}, { token: [] }],
          components: { ...document["components"], securitySchemes: { token: { type: "http", scheme: "bearer" } } }
        })
    })
  ) {}
