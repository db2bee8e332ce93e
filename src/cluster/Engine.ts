/**
 * The engine of a cluster: which node has which shard, and requests from node to node. The engine only suggests a node for a job; the
 * run's row is authoritative.
 *
 * @since 0.2.0
 */
import { Context, Data, type Duration, Effect, type Option, Schema, type Scope } from "effect"
import type { StopError, StoreError } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type { StopReport } from "../domain/StopReport.js"

/**
 * No node has the job at the moment, or its node cannot be reached.
 *
 * @since 0.2.0
 * @category errors
 */
export class Unrouted extends Data.TaggedError("Unrouted")<{ readonly jobId: JobId }> {}

/**
 * The called node is handling too many requests. It finds its work in the row of the job.
 *
 * @since 0.2.0
 * @category errors
 */
export class Busy extends Schema.TaggedError<Busy>()("Busy", {}) {}

/**
 * Runs at most so many effects at once, and refuses further ones.
 *
 * @internal
 */
export const atMost = (max: number) => {
  let running = 0
  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | Busy, R> =>
    Effect.suspend((): Effect.Effect<A, E | Busy, R> => {
      if (running >= max) return new Busy()
      running += 1
      return Effect.ensuring(
        effect,
        Effect.sync(() => void (running -= 1))
      )
    })
}

/**
 * Requests from one node to another. Each is a hint: a node acts only on the row of the job.
 *
 * @since 0.2.0
 * @category models
 */
export interface Requests {
  /** Hints that there may be work for the node that has the shard of the job. */
  readonly wake: (id: JobId) => Effect.Effect<void>
  /** Stops the job, once the intent to stop it is recorded. */
  readonly stop: (id: JobId, grace: Duration.Duration) => Effect.Effect<StopReport, StopError | Unrouted | Busy>
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
  /** The shards on which this node has the lock. */
  readonly shards: () => ReadonlyArray<number>
  /** The address of the node that has the lock on a shard, for each shard that has one. */
  readonly holders: Effect.Effect<ReadonlyMap<number, string>, StoreError>
  /** The address of the node that has the lock on the shard of each job, in the order of the ids. */
  readonly nodesOf: (ids: ReadonlyArray<JobId>) => Effect.Effect<ReadonlyArray<Option.Option<string>>, StoreError>
  /** Handles requests about jobs of a kind, for as long as the scope lives. */
  readonly serve: (kind: string, requests: Requests) => Effect.Effect<void, never, Scope.Scope>
  /** Sends requests to the node at that address, or else to the node that has the shard of the job. A `wake` may be lost. */
  readonly ask: (kind: string, address?: string) => Requests
}

/**
 * The engine of this node.
 *
 * @since 0.2.0
 * @category tags
 */
export class Engine extends Context.Tag("charlotte/Engine")<Engine, Service>() {}
