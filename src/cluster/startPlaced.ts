/**
 * Starting a job in a cluster: as on one machine, but the transaction that decides also counts the jobs of all nodes, and places the
 * run on the one with most room. That node takes it from its row.
 */
import { Array, type DateTime, Effect, Option } from "effect"
import { StoreError } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import { request } from "../domain/StartOptions.js"
import { now } from "../internal/now.js"
import * as Tracing from "../internal/Tracing.js"
import type { Core } from "../manager/internal/Core.js"
import { traceOf } from "../manager/internal/jobSpan.js"
import { decideByKeys, named, type Refusal, stopReplaced } from "../manager/internal/startJob.js"
import { newRun, type Starting, submit, type Submitted } from "../manager/internal/submission.js"
import type { Candidate, Node, Placement } from "../store/ClusterStore.js"
import type { Service as Engine } from "./Engine.js"

/** Ids to draw for one that belongs to each node. */
const draws = 64

/** How often it is looked again, every so many milliseconds, where no node has its shards yet. */
const patience = 50
const pause = 100

/** The nodes of the kind. */
interface Nodes {
  readonly engine: Engine
  /** May be some hundred milliseconds old: the node that has the shard by then takes the run. */
  readonly nodes: Effect.Effect<ReadonlyArray<Node>, StoreError>
}

const noNode = (kind: string) =>
  new StoreError({
    operation: "start a job",
    reason: "busy",
    cause: new Error(`no node of the cluster takes jobs of kind "${kind}" at the moment: start one, or undo a drain`)
  })

/** Returns when this node has shards, so that it takes jobs; it does not wait for ever. */
export const ready = (engine: Engine, nextId: () => JobId): Effect.Effect<void> => {
  const look = Effect.sync(() => Array.makeBy(draws, nextId).some(engine.hasShard))
  return Effect.iterate(patience, {
    while: (left) => left > 0,
    body: (left) =>
      Effect.flatMap(look, (isReady) => (isReady ? Effect.succeed(0) : Effect.as(Effect.sleep(pause), left - 1)))
  })
}

/** An id for each node that takes jobs. */
const candidates = <Config>(
  { kind }: Core<Config>,
  { engine, nodes: listed }: Nodes,
  nextId: () => JobId
): Effect.Effect<Placement["candidates"], StoreError> =>
  Effect.gen(function* () {
    for (let tries = 0; tries < patience; tries++) {
      if (tries > 0) yield* Effect.sleep(pause)
      const nodes = yield* listed
      const ids = Array.makeBy(draws, nextId)
      const addresses = yield* engine.nodesOf(ids)
      const found = nodes.flatMap(({ address, capacity, isAlive, isDraining }): ReadonlyArray<Candidate> => {
        const id = ids.find((_, i) => Option.contains(addresses[i] ?? Option.none(), address))
        return id === undefined || !isAlive || isDraining ? [] : [{ id, address, capacity }]
      })
      const [first, ...others] = found
      if (first !== undefined) return [first, ...others]
    }
    return yield* noNode(kind)
  })

export const startPlaced = <Config>(
  core: Core<Config>,
  starting: Starting<Config>,
  nodes: Nodes,
  {
    input,
    options,
    waiting
  }: Submitted & {
    /** The statuses of the runs that begin before a new one. */
    readonly waiting: Placement["waiting"]
  }
): Effect.Effect<JobId, Refusal> =>
  Effect.gen(function* () {
    yield* core.shutdown.refuse
    const at: DateTime.Utc = yield* now
    const requested = yield* request(options, { at, hasKey: starting.key !== undefined })
    const nextId = () => starting.nextId(at.epochMillis)
    const submission = yield* submit(starting, input, { id: nextId(), at, requested, options })
    const decided = yield* decideByKeys(core, submission)
    if (decided !== "permit" && decided !== "queue") return decided
    const checked = yield* starting.admission.check(submission.config)
    yield* core.shutdown.refuse
    const trace = traceOf(yield* Tracing.caller)
    const run = newRun(core, starting, submission, { ...checked, trace })
    const placement = { candidates: yield* candidates(core, nodes, nextId), whenFull: requested.whenFull, waiting }
    const { created, id } = yield* core.store.cluster.admit(run, placement).pipe(
      Effect.mapError(named(checked)),
      Effect.tap(({ created }) => stopReplaced(core, created)),
      Effect.uninterruptible
    )
    const placed = placement.candidates.find((candidate) => candidate.id === id)
    if (placed !== undefined && created._tag !== "Existing") {
      yield* nodes.engine.ask(core.kind, placed.address).wake(id)
    }
    return id
  }).pipe(Tracing.traced("JobManager.start"))
