/**
 * Jobs over HTTP: a server, its contract, and a client.
 *
 * @since 0.1.0
 */
export { Api, Health, Job, JobPage, JobsApi, ListedJob, Ready, Submitted } from "./Api.js"
export * as errors from "./errors.js"
export { layerApi } from "./Handlers.js"
export * as JobClient from "./JobClient.js"
export { type Address, type Options, serve, Server } from "./Server.js"
