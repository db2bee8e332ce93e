/**
 * The engine of a cluster: which node has which shard, and requests from node to node. It decides which node should take a
 * job, and nothing else: the run row has the last word.
 *
 * @since 0.2.0
 */
import { Context, Data, type Duration, type Effect, type Option, Schema, type Scope } from "effect"
import type { JobNotFound, StopTimedOut, StoreError } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type { StopReport } from "../domain/StopReport.js"

/**
 * No node has the job at the moment, or that node cannot be reached.
 *
 * @since 0.2.0
 * @category errors
 */
export class Unrouted extends Data.TaggedError("Unrouted")<{ readonly jobId: JobId }> {}

/**
 * The node that was asked has too many requests at work. It finds in the row of the job what it is to do.
 *
 * @since 0.2.0
 * @category errors
 */
export class Busy extends Schema.TaggedError<Busy>()("Busy", {}) {}

/**
 * Requests from one node to another. Each is a hint: a node acts only on what the row of the job says.
 *
 * @since 0.2.0
 * @category models
 */
export interface Requests {
  /** Hints that there may be work for the node that has the shard of the job. */
  readonly wake: (id: JobId) => Effect.Effect<void>
  /** Stops the job, once the intent to stop it is recorded. */
  readonly stop: (
    id: JobId,
    grace: Duration.Duration
  ) => Effect.Effect<StopReport, JobNotFound | StopTimedOut | StoreError | Unrouted | Busy>
}

/**
 * The operations of an engine.
 *
 * @since 0.2.0
 * @category models
 */
export interface Service {
  /** How other nodes reach this one: `HOST:PORT`. */
  readonly address: string
  /** Whether this node has the lock on the shard of the job. */
  readonly hasShard: (id: JobId) => boolean
  /** How many shards this node has the locks on. */
  readonly shards: () => number
  /** The address of the node that has the lock on the shard of each job, in the order of the ids. */
  readonly nodesOf: (ids: ReadonlyArray<JobId>) => Effect.Effect<ReadonlyArray<Option.Option<string>>, StoreError>
  /** Answers requests about jobs of a kind, for as long as the scope lives. */
  readonly serve: (kind: string, requests: Requests) => Effect.Effect<void, never, Scope.Scope>
  /** Asks the node of that address, or else the one that has the shard of the job. A `wake` may be lost. */
  readonly ask: (kind: string, address?: string) => Requests
}

/**
 * The engine of this node.
 *
 * @since 0.2.0
 * @category tags
 */
export class Engine extends Context.Tag("charlotte/Engine")<Engine, Service>() {}
