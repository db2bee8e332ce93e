/**
 * Decides where a new run of a cluster is placed. Both stores use it, and read within the transaction that inserts the run.
 */
import { Effect } from "effect"
import {
  type IdempotencyKeyReused,
  type JobConflict,
  KindPaused,
  MaxJobsReached,
  type QueueFull
} from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { admitRun, type Decision, type GroupLookup, groupRefusal, type Lookup } from "./admitRun.js"
import type { Candidate, Location, NewRun, Placement, Runner, Taker } from "../port/RunStoreService.js"
import { isForStop, type State } from "./RunTransition.js"

/** The statuses in which a run can wait for a permit. */
export const waitingStatuses = ["interrupted", "parked", "pending"] as const
export type WaitingStatus = (typeof waitingStatuses)[number]

/** The limits on the jobs of a kind that may begin, as they are within the transaction. */
export interface Room {
  readonly kind: string
  readonly isPaused: boolean
  /** How many jobs may run in the cluster. */
  readonly maxJobs: number
  /** How many jobs run on each address. */
  readonly running: ReadonlyMap<string, number>
  /** How many runs of each status wait for a permit; at most `maxJobs` of each are counted. */
  readonly due: ReadonlyMap<WaitingStatus, number>
  /** The ids of the live nodes: other nodes take over the jobs of a dead node. */
  readonly alive: ReadonlySet<string>
  /** The ids of the nodes on which no more jobs begin. */
  readonly draining: ReadonlySet<string>
}

/** A pause does not hold up an attempt for a stop. */
export const roomFor = (state: State, room: Room): Room => ({ ...room, isPaused: room.isPaused && !isForStop(state) })

export interface Placed {
  readonly run: NewRun & { readonly id: JobId }
  readonly candidate: Candidate
  readonly decision: Decision
}

const sum = (running: ReadonlyMap<string, number>): number => [...running.values()].reduce((all, n) => all + n, 0)

const roomOn = ({ address, capacity }: Location, running: ReadonlyMap<string, number>): number =>
  capacity - (running.get(address) ?? 0)

/** Nodes with room come first, and of those the nodes of this version. */
const rank = (location: Location, running: Room["running"]): number =>
  (roomOn(location, running) > 0 ? 2 : 0) + (location.isOtherVersion === true ? 0 : 1)

const mostRoom = <L extends Location>(candidates: readonly [L, ...ReadonlyArray<L>], running: Room["running"]): L =>
  candidates.reduce((best, other) => {
    const by = rank(other, running) - rank(best, running) || roomOn(other, running) - roomOn(best, running)
    return by > 0 ? other : best
  })

/**
 * Why no new run may begin: its kind is paused, as many jobs run as allowed, or as many waiting runs begin before it as permits are
 * free.
 */
const refusal = (
  { candidates, waiting }: Placement,
  { due, isPaused, kind, maxJobs, running }: Room
): KindPaused | MaxJobsReached | undefined => {
  if (isPaused) return new KindPaused({ kind })
  const onNodes = candidates.reduce((free, candidate) => free + Math.max(0, roomOn(candidate, running)), 0)
  const free = Math.min(maxJobs - sum(running), onNodes)
  if (free <= 0) return new MaxJobsReached({ maxJobs, reason: "permits" })
  const first = waiting.reduce((all, status) => all + (due.get(status) ?? 0), 0)
  return first >= free ? new MaxJobsReached({ maxJobs, reason: "queue" }) : undefined
}

export const placeRun = <E>(
  run: Omit<NewRun, "id" | "isQueued">,
  placement: Placement,
  there: Room,
  lookup: Lookup<E> & GroupLookup<E>
): Effect.Effect<Placed, MaxJobsReached | JobConflict | KindPaused | QueueFull | IdempotencyKeyReused | E> =>
  Effect.gen(function* () {
    const { candidates, whenFull } = placement
    const candidate = mostRoom(candidates, there.running)
    const full = there.isPaused ? undefined : yield* groupRefusal(run, lookup)
    const refused = full ?? refusal(placement, there)
    const placed = { ...run, id: candidate.id, isQueued: refused !== undefined && whenFull === "queue" }
    const decision = yield* admitRun(placed, lookup)
    if (refused !== undefined && decision._tag === "New" && decision.state.status === "running") return yield* refused
    return { run: placed, candidate, decision }
  })

/** Whether a run that was placed there is taken in the same transaction. */
export const isTakenBy = (taker: Taker | undefined, { candidate, decision }: Placed, { alive }: Room): taker is Taker =>
  taker !== undefined &&
  candidate.address === taker.address &&
  decision._tag === "New" &&
  decision.state.status === "running" &&
  alive.has(taker.node)

/** Where the next attempt of an interrupted run is placed; fails if no node may begin it. */
export const placeAttempt = (
  candidates: readonly [Location, ...ReadonlyArray<Location>],
  { isPaused, kind, maxJobs, running }: Room
): Effect.Effect<Location, KindPaused | MaxJobsReached> => {
  if (isPaused) return new KindPaused({ kind })
  const location = mostRoom(candidates, running)
  return sum(running) < maxJobs && roomOn(location, running) > 0
    ? Effect.succeed(location)
    : new MaxJobsReached({ maxJobs })
}

/** Fails unless this node may begin one more job of the kind. */
export const permit = (
  { address, capacity, node }: Runner,
  { alive, draining, isPaused, kind, maxJobs, running }: Room
): Effect.Effect<void, KindPaused | MaxJobsReached> => {
  if (isPaused) return new KindPaused({ kind })
  return alive.has(node) && !draining.has(node) && sum(running) < maxJobs && (running.get(address) ?? 0) < capacity
    ? Effect.void
    : new MaxJobsReached({ maxJobs })
}
