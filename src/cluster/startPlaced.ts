/**
 * Starts a job in a cluster: as on one machine, but the transaction that decides also counts the jobs of all nodes, and places the
 * run on the node with most room. If that is this node, it takes the run in the same transaction; others take it from its row.
 */
import { Array, Data, type DateTime, Effect, Option } from "effect"
import { type KindPaused, type MaxJobsReached, StoreError } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type { Run } from "../domain/Run.js"
import type { Sender } from "../domain/Sender.js"
import { request } from "../domain/StartOptions.js"
import { parse } from "../internal/Json.js"
import { doubtfulAfter } from "../internal/timing.js"
import * as Tracing from "../internal/Tracing.js"
import type { Admission } from "../manager/internal/admission.js"
import { checkRun, mayBegin, superseded } from "../manager/internal/beginRun.js"
import type { Core } from "../manager/internal/Core.js"
import { Elsewhere, launch } from "../manager/internal/jobLife.js"
import { traceOf } from "../manager/internal/jobSpan.js"
import {
  decideByKeys,
  named,
  type Refusal,
  startedRun,
  stopReplaced,
  type WriteError
} from "../manager/internal/startJob.js"
import { newRun, type Starting, submit, type Submitted } from "../manager/internal/submission.js"
import type { Admitted, Candidate, Node, Placement, Runner, Taker } from "../store/port/RunStoreService.js"
import type { Service as Engine } from "./Engine.js"
import type { WakeUp } from "./wakeUps.js"

/** Maximum number of ids to draw to find one for each node. */
const draws = 64

/** How often to retry, and after how many milliseconds, while no node has its shards yet. */
const maxAttempts = 50
const pause = 100

/** The nodes that accept jobs. */
export const taking = (nodes: ReadonlyArray<Node>): ReadonlyArray<Node> => {
  const able = nodes.filter(({ isAlive, isDraining }) => isAlive && !isDraining)
  const heard = able.filter(({ seenAgo }) => seenAgo <= doubtfulAfter)
  return heard.length > 0 ? heard : able
}

/** Where a run may be placed that this node has decoded. */
const locationOf = ({ version: own }: Nodes, { address, capacity, version }: Node) => ({
  address,
  capacity,
  isOtherVersion: version !== own
})

/** The nodes of the kind. */
interface Nodes {
  readonly engine: Engine
  /** This node. */
  readonly runner: Runner
  /** The version of the kind that this node has. */
  readonly version: string
  /** Whether this node may take jobs: the database has responded within its lease. */
  readonly isFresh: Effect.Effect<boolean>
  /** The nodes, possibly some hundred milliseconds old: the node that has the shard by then takes the run. */
  readonly nodes: Effect.Effect<ReadonlyArray<Node>, StoreError>
  /** Wakes another node without waiting for it. */
  readonly wake: (wakeUp: WakeUp) => Effect.Effect<void>
}

const noNode = (operation: string, kind: string) =>
  new StoreError({
    operation,
    reason: "busy",
    cause: new Error(`no node of the cluster takes jobs of kind "${kind}" at the moment: start one, or undo a drain`)
  })

/** Waits a limited time until this node has shards, so that it takes jobs. */
export const ready = (engine: Engine, nextId: () => JobId): Effect.Effect<void> => {
  const look = Effect.sync(() => Array.makeBy(draws, nextId).some(engine.hasShard))
  return Effect.iterate(maxAttempts, {
    while: (left) => left > 0,
    body: (left) =>
      Effect.flatMap(look, (isReady) => (isReady ? Effect.succeed(0) : Effect.as(Effect.sleep(pause), left - 1)))
  })
}

/**
 * Resumes an interrupted run: in one transaction its next attempt begins, and is placed on the node with most room, which takes
 * it from the row.
 */
export const resumePlaced = <Config>(
  core: Core<Config>,
  admission: Admission<Config>,
  nodes: Nodes,
  run: Run,
  sender: Sender | undefined
) =>
  Effect.gen(function* () {
    yield* core.shutdown.refuse
    yield* mayBegin(run)
    const { id } = run
    const { beginning } = yield* checkRun(core, admission, run)
    const [first, ...others] = taking(yield* nodes.nodes).map((node) => locationOf(nodes, node))
    if (first === undefined) return yield* noNode("resume a job", core.kind)
    const placed = yield* core.store.cluster.place({ ...beginning, isResumed: true, sender }, [first, ...others])
    if (Option.isSome(placed)) yield* nodes.wake({ address: placed.value, id, created: "Running" })
  }).pipe(Effect.catchTag("Superseded", () => superseded(core, run.id)))

/** An id for each node that accepts jobs; this node's id first, so that this node gets the job unless another has more room. */
const candidates = <Config>(
  { kind }: Core<Config>,
  placing: Nodes,
  nextId: () => JobId
): Effect.Effect<Placement["candidates"], StoreError> =>
  Effect.gen(function* () {
    const { engine, nodes: listed, runner } = placing
    for (let tries = 0; tries < maxAttempts; tries++) {
      if (tries > 0) yield* Effect.sleep(pause)
      const nodes = taking(yield* listed)
      const found = new Map<string, Candidate>()
      for (let drawn = 0; drawn < draws && found.size < nodes.length; drawn += nodes.length) {
        const ids = Array.makeBy(nodes.length, nextId)
        const addresses = yield* engine.nodesOf(ids)
        for (const [i, id] of ids.entries()) {
          const node = nodes.find(({ address }) => Option.contains(addresses[i] ?? Option.none(), address))
          if (node !== undefined) found.set(node.address, { id, ...locationOf(placing, node) })
        }
      }
      const isHere = ({ address }: Candidate) => address === runner.address
      const [others, own] = Array.partition(found.values(), isHere)
      const [first, ...rest] = [...own, ...others]
      if (first !== undefined) return [first, ...rest]
    }
    return yield* noNode("start a job", kind)
  })

/** No node has room: a retry would not help. */
class ClusterFull extends Data.TaggedError("ClusterFull")<{ readonly refusal: MaxJobsReached }> {}

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
    const at: DateTime.Utc = yield* core.store.now
    const requested = yield* request(options, { at, hasKey: starting.key !== undefined })
    const nextId = () => starting.nextId(at.epochMillis)
    const submission = yield* submit(starting, input, { id: nextId(), at, requested, options })
    const decided = yield* decideByKeys(core, submission)
    if (decided !== "permit" && decided !== "queue") return decided
    const checked = yield* starting.admission.check(submission.config)
    yield* core.shutdown.refuse
    const caller = yield* Tracing.caller
    const trace = traceOf(caller)
    const run = newRun(core, starting, submission, { ...checked, trace })
    const placement = { candidates: yield* candidates(core, nodes, nextId), whenFull: requested.whenFull, waiting }

    const admit = (taker?: Taker) =>
      core.store.cluster.admit(run, placement, taker).pipe(
        Effect.mapError(named(checked)),
        Effect.tap(({ created }) => stopReplaced(core, created)),
        Effect.tap((admitted) => wakeNode(nodes, placement, admitted))
      )
    const leave = Effect.map(Effect.uninterruptible(admit()), ({ id }) => id)

    const [{ address, id }] = placement.candidates
    if (decided === "queue" || address !== nodes.runner.address || !(yield* nodes.isFresh)) return yield* leave
    const commit = (traceOfSpan = trace) =>
      admit({ ...nodes.runner, trace: traceOfSpan }).pipe(
        Effect.catchTag("MaxJobsReached", (refusal) => new ClusterFull({ refusal })),
        Effect.flatMap(({ id: placed, isTaken }) =>
          isTaken ? Effect.succeed({ run: startedRun({ ...run, id }), isStop: false }) : new Elsewhere({ id: placed })
        )
      )
    const prepare = Effect.succeed({
      config: submission.config,
      submission: checked.submission && parse(checked.submission),
      attempt: 1,
      trace,
      commit
    })
    return yield* launch<Config, WriteError | KindPaused | ClusterFull | Elsewhere>(core, { id, prepare, caller }).pipe(
      Effect.as(id),
      Effect.catchTags({
        AlreadyActive: Effect.die,
        ClusterFull: ({ refusal }) => refusal,
        Elsewhere: ({ id }) => Effect.succeed(id),
        // This node has no free permit at the moment.
        MaxJobsReached: () => leave
      })
    )
  }).pipe(Tracing.traced("JobManager.start"))

/** Wakes the node that has to take or begin the run. */
const wakeNode = (
  { wake }: Nodes,
  { candidates }: Pick<Placement, "candidates">,
  { created, id, isTaken }: Admitted
): Effect.Effect<void> => {
  const placed = candidates.find((candidate) => candidate.id === id)
  return placed === undefined || isTaken || created._tag === "Existing"
    ? Effect.void
    : wake({ address: placed.address, id, created: created._tag })
}
