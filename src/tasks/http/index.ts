/**
 * Jobs over HTTP: server, contract and client.
 *
 * @since 0.1.0
 */
export * as Api from "./Api.js"
export * as errors from "../../http/contract/errors.js"
export * as JobClient from "../../http/client/JobClient.js"
export * as JobsApi from "./JobsApi.js"
export * as Page from "../../http/server/mounted/Page.js"
export * as Server from "./Server.js"

/**
 * @since 0.1.0
 * @deprecated since 0.2.0, use `JobsApi.layer`
 */
export { layer as layerApi } from "./JobsApi.js"
