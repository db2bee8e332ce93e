/**
 * The orchestrator of Markdown tasks, and its parts.
 *
 * @since 0.1.0
 */
export * as Agents from "./Agents.js"
export * as Git from "../git/Git.js"
export * as Plan from "./plan/Plan.js"
export * as ProcessRunner from "../process/ProcessRunner.js"
export * as Prune from "./Prune.js"
export * as TaskDirectory from "./plan/TaskDirectory.js"
export * as TaskEvents from "./events.js"
export * as TaskOrchestrator from "./TaskOrchestrator.js"
