/**
 * The store of a cluster over a session and a writer.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import { type AlreadyManaged, NodeConflict, StoreError, Superseded } from "../../domain/errors.js"
import type { ClusterStore } from "../ClusterStore.js"
import { alreadyManaged, type OwnerStore } from "../OwnerStore.js"
import { permit, placeRun } from "../placeRun.js"
import type { Batch } from "./Batch.js"
import * as cluster from "./cluster.js"
import type { Connection } from "./Dialect.js"
import * as idempotencyKeys from "./idempotencyKeys.js"
import { lookup } from "./lookup.js"
import * as runs from "./runs.js"
import * as runWrites from "./runWrites.js"
import type { SearchIndexer } from "./SearchIndexer.js"
import type { Session } from "./Session.js"
import type { Writer } from "./Writer.js"

/** Locks what all nodes count. */
const locked = (batch: Batch, kind: string) =>
  Effect.tap(batch.connection, (connection) => connection.dialect.lockAdmission(connection, kind))

const unrecorded = (kind: string) =>
  new StoreError({
    operation: "join the cluster",
    reason: "busy",
    cause: new Error(`a process is just becoming the owner of kind "${kind}"; stop it, and try again`)
  })

export const make = ({
  heartbeat,
  indexer,
  owner,
  session,
  write
}: {
  /** Renews a node apart from the writer. */
  readonly heartbeat: ClusterStore["renew"] | undefined
  readonly owner: OwnerStore["get"]
  readonly session: Session
  readonly write: Writer["write"]
  readonly indexer: SearchIndexer
}): ClusterStore => {
  const statement = <A>(operation: string, body: (connection: Connection) => Effect.Effect<A, SqlError>) =>
    write<A, never>({ operation, lane: "fast", body: (batch) => Effect.flatMap(batch.connection, body) })

  return {
    join: (node) =>
      Effect.flatMap(
        statement("join the cluster", (connection) => cluster.join(connection, node)),
        (joined): Effect.Effect<void, NodeConflict | AlreadyManaged | StoreError> => {
          const { address, kind } = node
          if (joined === "joined") return Effect.void
          if (joined === "conflict") return new NodeConflict({ kind, address })
          return Effect.flatMap(owner(kind), (found): Effect.Effect<never, AlreadyManaged | StoreError> =>
            Option.isSome(found) ? alreadyManaged(found.value) : unrecorded(kind)
          )
        }
      ),
    renew: heartbeat ?? ((node) => statement("renew a node", (connection) => cluster.renew(connection, node))),
    disconnect: session.disconnect,
    leave: (node) => statement("leave the cluster", (connection) => cluster.leave(connection, node)),
    drain: (node, draining) => statement("drain a node", (connection) => cluster.drain(connection, node, draining)),
    nodes: (kind) => session.read("list nodes", (connection) => cluster.nodes(connection, kind)),

    limit: ({ kind, maxJobs }) =>
      statement("limit jobs", (connection) =>
        Effect.zipRight(cluster.addLimit(connection, kind, maxJobs), cluster.limit(connection, kind))
      ),
    currentLimit: (kind) => session.read("read the limit", (connection) => cluster.currentLimit(connection, kind)),
    setLimit: ({ kind, maxJobs }) =>
      statement("limit jobs", (connection) => cluster.setLimit(connection, kind, maxJobs)),

    admit: (run, placement) =>
      Effect.zipLeft(
        write({
          operation: "start a job",
          lane: "fast",
          body: (batch) =>
            Effect.gen(function* () {
              const connection = yield* locked(batch, run.kind)
              const reads = { ...lookup(batch.connection), ...cluster.permits(batch.connection) }
              const { candidate, decision, run: placed } = yield* placeRun(run, placement, reads)
              if (decision._tag === "Existing") {
                const created = yield* idempotencyKeys.answer(connection, run.kind, decision)
                return { id: created.id, created }
              }
              const created = yield* runWrites.insert(batch, placed, decision)
              yield* cluster.place(yield* batch.connection, placed.id, candidate.address)
              return { id: placed.id, created }
            }).pipe(Effect.catchTag("Superseded", Effect.die))
        }),
        indexer.written
      ),

    begin: (beginning, by) =>
      Effect.zipLeft(
        write({
          operation: "begin a job",
          lane: "fast",
          about: beginning.jobId,
          body: (batch) =>
            Effect.gen(function* () {
              const { attempt, jobId } = beginning
              const head = batch.head(jobId)
              if (head === undefined) return yield* new Superseded({ jobId, attempt })
              yield* locked(batch, head.kind)
              yield* permit(head.kind, by, cluster.permits(batch.connection))
              const begun = yield* runWrites.begin(batch, beginning)
              if (begun === "running") {
                const connection = yield* batch.connection
                yield* cluster.take(connection, { jobId, attempt }, by)
              }
              return begun
            })
        }),
        indexer.written
      ),

    take: (taken, by) =>
      Effect.flatMap(
        statement("take a job", (connection) =>
          Effect.tap(cluster.take(connection, taken, by), (isFree) =>
            isFree && taken.trace !== undefined ? runs.recordTrace(connection, taken.jobId, taken.trace) : Effect.void
          )
        ),
        (isFree) => (isFree ? Effect.void : new Superseded(taken))
      ),

    held: (kind) => session.read("list running jobs", (connection) => cluster.held(connection, kind)),
    heldRun: (id) => session.read("read a running job", (connection) => cluster.heldRun(connection, id))
  }
}
