/**
 * Jobs over HTTP: a server, its contract, and a client.
 *
 * @since 0.1.0
 */
export { Api, Health, Job, JobPage, JobsApi, ListedJob, Ready, Submitted } from "./contract/Api.js"
export * as errors from "./contract/errors.js"
export { layerApi } from "./server/Handlers.js"
export * as JobClient from "./client/JobClient.js"
export { type Address, type Options, serve, Server } from "./server/Server.js"
