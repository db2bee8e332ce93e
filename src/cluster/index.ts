/**
 * Several nodes that run the same jobs on one PostgreSQL database. It needs the optional packages `@effect/cluster`, `@effect/rpc`,
 * `@effect/workflow`, `@effect/sql-pg` and `pg`.
 *
 * @since 0.2.0
 */
export * as Engine from "./engine/EffectCluster.js"
export * as Guard from "./guard/Guard.js"
export * as JobKind from "./JobKind.js"
export * as JobManager from "./JobManager.js"
export * as Nodes from "./Nodes.js"
