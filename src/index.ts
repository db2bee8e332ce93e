/**
 * Charlotte: a durable manager of long-running orchestrator jobs.
 *
 * @since 0.1.0
 */
export * as Database from "./store/Database.js"
export * as errors from "./domain/errors.js"
export * as JobConfig from "./domain/JobConfig.js"
export * as JobEvent from "./domain/JobEvent.js"
export * as JobId from "./domain/JobId.js"
export * as JobKind from "./manager/JobKind.js"
export * as JobManager from "./manager/JobManager.js"
export * as ManagedJob from "./manager/ManagedJob.js"
export * as Orchestrator from "./manager/Orchestrator.js"
export * as Run from "./domain/Run.js"
export * as RunStatus from "./domain/RunStatus.js"
export * as Runs from "./store/Runs.js"
export * as RunStore from "./store/RunStore.js"
export * as StopReport from "./domain/StopReport.js"
export * as Subscriber from "./manager/Subscriber.js"
export * as Work from "./domain/Work.js"
