/**
 * Where a new run of a cluster is placed, decided by both stores from what they read in the transaction that inserts it.
 */
import { Effect } from "effect"
import { type IdempotencyKeyReused, type JobConflict, MaxJobsReached, type QueueFull } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import { admitRun, type Decision, type Lookup } from "./admitRun.js"
import type { Candidate, Placement, Runner, Taker } from "./ClusterStore.js"
import type { NewRun } from "./RunStoreService.js"

/** Reads within the transaction. */
export interface Permits<E> {
  /** How many jobs of a kind may run in the cluster. */
  readonly maxJobs: (kind: string) => Effect.Effect<number, E>
  /** How many jobs of a kind run on each address. */
  readonly running: (kind: string) => Effect.Effect<ReadonlyMap<string, number>, E>
  /** Whether a run of a kind with one of these statuses waits for a permit. */
  readonly hasDue: (kind: string, statuses: Placement["waiting"]) => Effect.Effect<boolean, E>
  /** Whether the node is alive, and does not drain: others take over what a dead one has. */
  readonly takesJobs: (node: string) => Effect.Effect<boolean, E>
}

export interface Placed {
  readonly run: NewRun & { readonly id: JobId }
  readonly candidate: Candidate
  readonly decision: Decision
}

const sum = (running: ReadonlyMap<string, number>): number => [...running.values()].reduce((all, n) => all + n, 0)

export const placeRun = <E>(
  run: Omit<NewRun, "id" | "isQueued">,
  { candidates, waiting, whenFull }: Placement,
  lookup: Lookup<E> & Permits<E>
): Effect.Effect<Placed, MaxJobsReached | JobConflict | QueueFull | IdempotencyKeyReused | E> =>
  Effect.gen(function* () {
    const maxJobs = yield* lookup.maxJobs(run.kind)
    const running = yield* lookup.running(run.kind)
    const room = ({ address, capacity }: Candidate) => capacity - (running.get(address) ?? 0)
    const candidate = candidates.reduce((best, other) => (room(other) > room(best) ? other : best))
    const isFull = sum(running) >= maxJobs || room(candidate) <= 0 || (yield* lookup.hasDue(run.kind, waiting))
    const placed = { ...run, id: candidate.id, isQueued: isFull && whenFull === "queue" }
    const decision = yield* admitRun(placed, lookup)
    if (isFull && decision._tag === "New" && decision.state.status === "running") {
      return yield* new MaxJobsReached({ maxJobs })
    }
    return { run: placed, candidate, decision }
  })

/** Whether a run that was placed there is taken in the same transaction. */
export const isTakenBy = <E>(
  taker: Taker | undefined,
  { candidate, decision }: Placed,
  isAlive: (node: string) => Effect.Effect<boolean, E>
): Effect.Effect<boolean, E> =>
  taker !== undefined &&
  candidate.address === taker.address &&
  decision._tag === "New" &&
  decision.state.status === "running"
    ? isAlive(taker.node)
    : Effect.succeed(false)

/** Fails unless this node may begin one more job of the kind. */
export const permit = <E>(
  kind: string,
  { address, capacity, node }: Runner,
  lookup: Permits<E>
): Effect.Effect<void, MaxJobsReached | E> =>
  Effect.gen(function* () {
    const maxJobs = yield* lookup.maxJobs(kind)
    if (!(yield* lookup.takesJobs(node))) return yield* new MaxJobsReached({ maxJobs })
    const running = yield* lookup.running(kind)
    if (sum(running) >= maxJobs || (running.get(address) ?? 0) >= capacity)
      return yield* new MaxJobsReached({ maxJobs })
  })
