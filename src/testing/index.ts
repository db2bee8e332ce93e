/**
 * Tools for the tests of applications: a job manager in memory, whose jobs do what a test says.
 *
 * @since 0.1.0
 */
export * as ScriptedOrchestrator from "./ScriptedOrchestrator.js"
export * as Step from "./Step.js"
export * as TestManager from "./TestManager.js"

/**
 * @since 0.1.0
 * @deprecated since 0.2.0, use `TestManager.layer`
 */
export { layer } from "./TestManager.js"
