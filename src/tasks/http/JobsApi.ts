/**
 * The jobs API as part of an application's own `HttpApi`: endpoints, schemas and handlers.
 *
 * @since 0.2.0
 */
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
} from "../../http/contract/Api.js"
export type { AnyKind, AnyManager, Endpoint, Group, Start } from "../../http/contract/Kinds.js"
export type { Requirements } from "../../http/server/KindHandlers.js"
export { layer, type LayerOptions as Options } from "../../http/server/Handlers.js"

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
