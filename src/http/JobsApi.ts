/**
 * Jobs and their events in the API of an application: the endpoints, their schemas, and the handlers.
 *
 * @since 0.2.0
 */
export { Job, JobPage, JobsApi, ListedJob, Submitted } from "./contract/Api.js"
export { layer, type LayerOptions as Options } from "./server/Handlers.js"

/**
 * In version 0.1.0 this name was the API itself, which `HttpApi.addHttpApi` asks for its groups.
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
