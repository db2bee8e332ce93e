/**
 * Jobs over HTTP: server, contract and client.
 *
 * @since 0.1.0
 */
export * as Api from "./contract/Api.js"
export * as errors from "./contract/errors.js"
export * as JobClient from "./client/JobClient.js"
export * as JobsApi from "./JobsApi.js"
export * as Server from "./server/Server.js"

/**
 * @since 0.1.0
 * @deprecated since 0.2.0, use `JobsApi.layer`
 */
export { layer as layerApi } from "./server/Handlers.js"
