/**
 * The jobs API as part of an application's own `HttpApi`: endpoints, schemas and handlers.
 *
 * @since 0.2.0
 */
import type * as HttpApi from "@effect/platform/HttpApi"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import { Layer } from "effect"
import * as Handlers from "../../http/server/Handlers.js"
import { managers } from "../../http/server/KindHandlers.js"
import * as OpenStreams from "../../http/server/OpenStreams.js"
import { extension } from "./parts.js"

export {
  Job,
  JobKey,
  JobLog,
  JobPage,
  JobsApi,
  type JobsGroup,
  type KindsApi,
  ListedJob,
  make,
  Submitted
} from "./Api.js"
export type { AnyKind, AnyManager, Endpoint, Group, Start } from "../../http/contract/Kinds.js"
export type { Requirements } from "../../http/server/KindHandlers.js"

/**
 * Options of `JobsApi.layer`.
 *
 * @since 0.2.0
 * @category options
 */
export interface Options extends Handlers.Options, OpenStreams.Options {}

/**
 * The handlers of `JobsApi.JobsApi`, or of a result of `JobsApi.make`, for an application's own API on a Node server. With kinds, it
 * needs their managers and `Runs`. Authentication is up to the application; bodies are limited to 1 MiB.
 *
 * @since 0.2.0
 * @category layers
 * @example
 * import * as HttpApi from "@effect/platform/HttpApi"
 * import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
 * import { JobsApi } from "charlotte/http"
 * import { Layer } from "effect"
 *
 * const AppApi = HttpApi.make("app").addHttpApi(JobsApi.JobsApi)
 *
 * // Needs a JobManager and its RunStore; goes to HttpApiBuilder.serve.
 * const AppLayer = HttpApiBuilder.api(AppApi).pipe(Layer.provide(JobsApi.layer(AppApi)))
 */
export const layer = <Id extends string, Groups extends HttpApiGroup.HttpApiGroup.Any, E, R>(
  api: HttpApi.HttpApi<Id, Groups, E, R>,
  options: Options = {}
) =>
  Handlers.groups(api, options).pipe(
    Layer.provide(extension),
    Layer.provide([OpenStreams.layer(options), managers<Groups>(api, options)])
  )

/**
 * In version 0.1.0 `JobsApi` was the API itself. `HttpApi.addHttpApi` reads `groups`, so old code gets an error with the fix.
 *
 * @internal
 */
export const groups: object = new Proxy(
  {},
  {
    ownKeys: () => {
      throw new Error("charlotte 0.2 exports JobsApi as a namespace: write addHttpApi(JobsApi.JobsApi)")
    }
  }
)
