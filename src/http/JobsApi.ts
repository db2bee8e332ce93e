/**
 * The jobs API as part of an application's own `HttpApi`: endpoints, schemas and handlers.
 *
 * @since 0.2.0
 */
export { Job, JobPage, JobsApi, ListedJob, Submitted } from "./contract/Api.js"
export { layer, type LayerOptions as Options } from "./server/Handlers.js"

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
