/**
 * Workflows of `@effect/workflow` as jobs. It needs that optional package.
 *
 * @since 0.2.0
 */
export * as Workflows from "./Workflows.js"
