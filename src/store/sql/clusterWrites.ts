/**
 * The store of a cluster over a session and a writer.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import {
  type AlreadyManaged,
  type KindPaused,
  type MaxJobsReached,
  NodeConflict,
  StoreError,
  Superseded
} from "../../domain/errors.js"
import type { Beginning, ClusterStore, OwnerStore } from "../port/RunStoreService.js"
import { alreadyManaged } from "../rules/alreadyManaged.js"
import { isTakenBy, permit, placeAttempt, placeRun, type Room, roomFor, waitingStatuses } from "../rules/placeRun.js"
import { isForStop } from "../rules/RunTransition.js"
import * as admissions from "./admissions.js"
import { current } from "./Batch.js"
import * as cluster from "./cluster.js"
import type { Connection } from "./Dialect.js"
import * as idempotencyKeys from "./idempotencyKeys.js"
import { lookupIn } from "./lookup.js"
import * as runs from "./runs.js"
import * as runWrites from "./runWrites.js"
import type { SearchIndexer } from "./SearchIndexer.js"
import type { Session } from "./Session.js"
import type { Lanes } from "./Lanes.js"
import * as shares from "./shares.js"

const unrecorded = (kind: string) =>
  new StoreError({
    operation: "join the cluster",
    reason: "busy",
    cause: new Error(`a process is just becoming the owner of kind "${kind}"; stop it, and try again`)
  })

export const make = ({
  heartbeat,
  indexer,
  lanes: { admit, write },
  owner,
  session
}: {
  /** Renews a node outside the writer. */
  readonly heartbeat: ClusterStore["renew"] | undefined
  readonly owner: OwnerStore["get"]
  readonly session: Session
  readonly lanes: Lanes
  readonly indexer: SearchIndexer
}): ClusterStore => {
  const { counted, isAlive } = admissions.make()
  const statement = <A>(operation: string, body: (connection: Connection) => Effect.Effect<A, SqlError>) =>
    write<A, never>({ operation, lane: "fast", body: (batch) => Effect.flatMap(batch.connection, body) })

  /** Begins an attempt where `choose` decides; none if the run waits for a key, or `choose` decides so. */
  const begin = (
    beginning: Beginning,
    choose: (room: Room, head: runs.Head) => Effect.Effect<runs.Place | undefined, KindPaused | MaxJobsReached>
  ) =>
    Effect.zipLeft(
      admit({
        operation: "begin a job",
        lane: "fast",
        isAlone: beginning.key !== undefined,
        about: beginning.jobId,
        body: (batch) =>
          Effect.gen(function* () {
            const { attempt, jobId } = beginning
            const head = batch.head(jobId)
            if (head === undefined) return yield* new Superseded({ jobId, attempt })
            const { begun, room } = yield* counted(batch, head.kind)
            const on = yield* choose(roomFor(head.state, room), head)
            if (on === undefined) return Option.none()
            const outcome = yield* runWrites.begin(batch, beginning)
            const running = current(batch, jobId, attempt)
            if (outcome === "waits" || running === undefined) return Option.none()
            batch.assign(jobId, running, on)
            begun(
              on.address,
              waitingStatuses.find((status) => status === head.state.status)
            )
            return Option.some({ on, outcome })
          })
      }),
      indexer.written
    )

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

    admit: (run, placement, taker) =>
      Effect.zipLeft(
        admit({
          operation: "start a job",
          lane: "fast",
          isAlone: runWrites.isKeyed(run),
          of: run,
          body: (batch) =>
            Effect.gen(function* () {
              const { begun, room } = yield* counted(batch, run.kind)
              const placed = yield* placeRun(run, placement, room, lookupIn(batch))
              const { candidate, decision } = placed
              if (decision._tag === "Existing") {
                const created = yield* idempotencyKeys.answer(yield* batch.connection, run.kind, decision)
                return { id: created.id, created, isTaken: false }
              }
              const isTaken = isTakenBy(taker, placed, room)
              const created = isTaken
                ? yield* runWrites.insert(batch, { ...placed.run, trace: taker.trace }, decision, taker)
                : yield* runWrites.insert(batch, placed.run, decision, candidate)
              if (decision.state.status === "running") begun(candidate.address)
              return { id: placed.run.id, created, isTaken }
            }).pipe(Effect.catchTag("Superseded", Effect.die))
        }),
        indexer.written
      ),

    begin: (beginning, by) =>
      Effect.map(
        begin(beginning, (room) => Effect.as(permit(by, room), by)),
        Option.match({ onNone: () => "waits" as const, onSome: ({ outcome }) => outcome })
      ),

    place: (beginning, candidates) =>
      Effect.map(
        begin(beginning, (room, { state }) =>
          isForStop(state)
            ? Effect.succeed(undefined)
            : Effect.map(placeAttempt(candidates, room), ({ address }) => ({ address }))
        ),
        Option.map(({ on }) => on.address)
      ),

    take: (taken, by) =>
      write<void, Superseded>({
        operation: "take a job",
        lane: "fast",
        about: taken.jobId,
        body: (batch) =>
          Effect.gen(function* () {
            const { attempt, jobId, trace } = taken
            const head = current(batch, jobId, attempt)
            if (head === undefined || head.runner !== undefined) return yield* new Superseded({ jobId, attempt })
            if (!(yield* isAlive(batch, by.node))) return yield* new Superseded({ jobId, attempt })
            batch.assign(jobId, head, by)
            if (trace !== undefined) yield* runs.recordTrace(yield* batch.connection, jobId, trace)
          })
      }),

    next: (query) => session.read("find the next job", (connection) => shares.next(connection, query)),
    refuse: (version, refusals) =>
      statement("refuse jobs", (connection) => cluster.refuse(connection, version, refusals)),
    refused: (query) => session.read("list refused jobs", (connection) => cluster.refused(connection, query)),

    held: (kind) => session.read("list running jobs", (connection) => cluster.held(connection, kind)),
    placed: (query) => session.read("list placed jobs", (connection) => cluster.placed(connection, query)),
    heldRun: (id) => session.read("read a running job", (connection) => cluster.heldRun(connection, id))
  }
}
