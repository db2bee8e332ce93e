/**
 * The part of the in-memory store for the nodes of a cluster: several managers in one process share it.
 */
import { Clock, Effect, Option, Order } from "effect"
import { NodeConflict, Superseded } from "../../domain/errors.js"
import { deadAfter } from "../../internal/timing.js"
import {
  type ClusterStore,
  forgottenAfter,
  type HeldRun,
  mostRefused,
  type NewNode,
  type Node
} from "../port/ClusterStore.js"
import type { MemoryKindStore } from "./KindStore.js"
import type * as MemoryQueue from "./Queue.js"
import type { Entry } from "./RunReads.js"
import { isTakenBy, permit, placeAttempt, placeRun, type Room, roomFor, waitingStatuses } from "../rules/placeRun.js"
import { isForStop } from "../rules/RunTransition.js"
import type { Service } from "../port/RunStoreService.js"
import type { JobId } from "../../domain/JobId.js"
import { isReady, type Run } from "../../domain/Run.js"

interface Recorded extends NewNode {
  readonly seenAt: number
  readonly isDraining: boolean
}

export const make = ({
  begin,
  create,
  entries,
  kinds,
  queue,
  toRun,
  write
}: {
  readonly entries: ReadonlyMap<JobId, Entry>
  readonly kinds: Pick<MemoryKindStore, "hasPaused">
  readonly queue: ReturnType<typeof MemoryQueue.make<Entry>>
  readonly toRun: (entry: Entry) => Run
  readonly create: Service["create"]
  readonly begin: Service["begin"]
  readonly write: <A, E>(body: () => Effect.Effect<A, E>) => Effect.Effect<A, E>
}): ClusterStore => {
  const nodes = new Map<string, Recorded>()
  const limits = new Map<string, number>()

  const isAlive = (now: number, node: Recorded | undefined): boolean =>
    node !== undefined && node.seenAt > now - deadAfter

  /** Runs one atomic step with the current time: `write` does not have the `Clock` of the caller. */
  const writeAt = <A, E>(body: (now: number) => Effect.Effect<A, E>) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => write(() => body(now)))

  const change = (id: string, to: Partial<Recorded>) =>
    Effect.sync(() => {
      const node = nodes.get(id)
      if (node !== undefined) nodes.set(id, { ...node, ...to })
      return node !== undefined
    })

  const isRunning = ({ state }: Entry): boolean => state.status === "running"

  const toHeld =
    (now: number) =>
    (entry: Entry): HeldRun => ({
      run: toRun(entry),
      address: entry.node,
      stopping: entry.state.stoppingAt !== undefined,
      crashes: entry.state.crashes,
      runner: Option.map(Option.fromNullable(entry.runner), (node) => ({
        node,
        isAlive: isAlive(now, nodes.get(node))
      }))
    })

  const running = (kind: string) =>
    [...entries.values()]
      .filter((entry) => entry.submitted.kind === kind && isRunning(entry))
      .sort(Order.mapInput(Order.string, ({ submitted }: Entry) => submitted.id))

  const room = (now: number, kind: string): Room => {
    const counts = new Map<string, number>()
    for (const { node = "" } of running(kind)) counts.set(node, (counts.get(node) ?? 0) + 1)
    const ids = (isOne: (node: Recorded) => boolean) =>
      new Set([...nodes.values()].flatMap((node) => (isOne(node) ? [node.id] : [])))
    const maxJobs = limits.get(kind) ?? 0
    return {
      kind,
      isPaused: kinds.hasPaused(kind),
      maxJobs,
      running: counts,
      due: new Map(
        waitingStatuses.map((status) => [status, queue.countDue({ kind, statuses: [status], limit: maxJobs })])
      ),
      alive: ids((node) => isAlive(now, node)),
      draining: ids(({ isDraining }) => isDraining)
    }
  }

  return {
    join: (node) =>
      writeAt((now): Effect.Effect<void, NodeConflict> => {
        const { address, kind } = node
        const other = [...nodes.values()].find((other) => other.kind === kind && other.address === address)
        if (other !== undefined && isAlive(now, other)) return new NodeConflict({ kind, address })
        if (other !== undefined) nodes.delete(other.id)
        for (const { id, kind: of, seenAt } of nodes.values()) {
          if (of === kind && seenAt <= now - forgottenAfter) nodes.delete(id)
        }
        nodes.set(node.id, { ...node, seenAt: now, isDraining: false })
        return Effect.void
      }),
    renew: (id) => Effect.flatMap(Clock.currentTimeMillis, (seenAt) => change(id, { seenAt })),
    disconnect: Effect.void,
    leave: (id) => Effect.sync(() => void nodes.delete(id)),
    drain: (id, isDraining) => Effect.asVoid(change(id, { isDraining })),
    nodes: (kind) =>
      Effect.map(Clock.currentTimeMillis, (now) =>
        [...nodes.values()]
          .filter((node) => node.kind === kind)
          .map((node): Node => {
            const { seenAt, ...recorded } = node
            const jobs = running(kind).filter((entry) => entry.node === node.address)
            return { ...recorded, running: jobs.length, isAlive: isAlive(now, node), seenAgo: now - seenAt }
          })
      ),

    limit: ({ kind, maxJobs }) =>
      Effect.sync(() => {
        const limit = limits.get(kind) ?? maxJobs
        limits.set(kind, limit)
        return limit
      }),
    currentLimit: (kind) => Effect.sync(() => Option.fromNullable(limits.get(kind))),
    setLimit: ({ kind, maxJobs }) => Effect.sync(() => void limits.set(kind, maxJobs)),

    admit: (run, placement, taker) =>
      writeAt((now) =>
        Effect.gen(function* () {
          const there = room(now, run.kind)
          const placed = yield* placeRun(run, placement, there, queue.lookup)
          const { id } = placed.run
          const isTaken = isTakenBy(taker, placed, there)
          const created = yield* create(isTaken ? { ...placed.run, trace: taker.trace } : placed.run)
          if (created._tag === "Existing") return { id: created.id, created, isTaken }
          const entry = entries.get(id)
          if (entry !== undefined) entry.node = placed.candidate.address
          if (entry !== undefined && isTaken) entry.runner = taker.node
          return { id, created, isTaken }
        })
      ),

    begin: (beginning, by) =>
      writeAt((now) =>
        Effect.gen(function* () {
          const entry = entries.get(beginning.jobId)
          if (entry === undefined) return yield* new Superseded(beginning)
          yield* permit(by, roomFor(entry.state, room(now, entry.submitted.kind)))
          const begun = yield* begin(beginning)
          if (begun !== "waits") Object.assign(entry, { node: by.address, runner: by.node })
          return begun
        })
      ),

    place: (beginning, candidates) =>
      writeAt((now) =>
        Effect.gen(function* () {
          const entry = entries.get(beginning.jobId)
          if (entry === undefined) return yield* new Superseded(beginning)
          if (isForStop(entry.state)) return Option.none()
          const { address } = yield* placeAttempt(candidates, room(now, entry.submitted.kind))
          if ((yield* begin(beginning)) === "waits") return Option.none()
          entry.node = address
          return Option.some(address)
        })
      ),

    take: ({ attempt, jobId, trace }, by) =>
      writeAt((now): Effect.Effect<void, Superseded> => {
        const entry = entries.get(jobId)
        const isFree =
          entry?.state.status === "running" && entry.state.attempt === attempt && entry.runner === undefined
        if (entry === undefined || !isFree || !isAlive(now, nodes.get(by.node))) {
          return new Superseded({ jobId, attempt })
        }
        Object.assign(entry, { node: by.address, runner: by.node })
        if (trace !== undefined) entry.submitted = { ...entry.submitted, trace }
        return Effect.void
      }),

    next: (query) =>
      Effect.sync(() =>
        Option.map(queue.next({ ...query, isPaused: kinds.hasPaused(query.kind) }), (entry) => ({
          run: toRun(entry),
          stopping: false,
          crashes: entry.state.crashes
        }))
      ),
    refuse: (version, refusals) =>
      writeAt((now) =>
        Effect.sync(() => {
          for (const { jobId, reason } of refusals) {
            const entry = entries.get(jobId)
            if (entry === undefined || !isReady(entry.state.waitsFor)) continue
            const { at, by } = entry.refused ?? { at: now, by: {} }
            entry.refused = { at, by: { [version]: reason, ...by } }
          }
        })
      ),
    refused: ({ kind, millis }) =>
      Effect.map(Clock.currentTimeMillis, (now) =>
        [...entries.values()]
          .filter(
            ({ refused, state, submitted }) =>
              submitted.kind === kind && isReady(state.waitsFor) && refused !== undefined && refused.at <= now - millis
          )
          .sort(Order.mapInput(Order.number, ({ refused }: Entry) => refused?.at ?? 0))
          .slice(0, mostRefused)
          .map(toRun)
      ),

    held: (kind) => Effect.map(Clock.currentTimeMillis, (now) => running(kind).map(toHeld(now))),
    placed: ({ address, kind }) =>
      Effect.map(Clock.currentTimeMillis, (now) =>
        running(kind)
          .filter(({ node, runner }) => node === address && runner === undefined)
          .map(toHeld(now))
      ),
    heldRun: (id) =>
      Effect.map(Clock.currentTimeMillis, (now) =>
        Option.fromNullable(entries.get(id)).pipe(Option.filter(isRunning), Option.map(toHeld(now)))
      )
  }
}
