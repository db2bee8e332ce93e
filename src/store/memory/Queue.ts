/**
 * The waiting runs of the in-memory store: keys, due times and signals.
 */
import { Array, DateTime, Effect, Option, Order } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { isReady, readiness } from "../../domain/Run.js"
import { isTerminal, noRuns, RunStatus } from "../../domain/RunStatus.js"
import {
  attachTo,
  type Existing,
  type GroupLookup,
  heldBy,
  keysOf,
  type Lookup,
  type Retry
} from "../rules/admitRun.js"
import type { Group, GroupSettings } from "../port/GroupStore.js"
import type { ClusterStore } from "../port/ClusterStore.js"
import { countedEnded, countedParked } from "../port/RunQueue.js"
import type { Backlog, HeldKey, Holder, Idempotency, Key, NewRun, NewSignal, Service } from "../port/RunStoreService.js"
import { shardOf } from "../port/shard.js"
import type { RecordedProgress } from "../rules/recordedProgress.js"
import { isForStop, type State, waitingSince, wokenByTime } from "../rules/RunTransition.js"

export interface Entry {
  submitted: NewRun
  readonly signals: Array<Signal>
  /** Idempotency keys of the run and of every request attached to it. */
  readonly idempotencyKeys: Map<string, Idempotency>
  /** The run that this one retries. */
  readonly retry: Retry | undefined
  /** How many of its children have ended. */
  childEnds?: number | undefined
  progress?: RecordedProgress | undefined
  state: State
  /** Why versions of the kind cannot decode the waiting run, and since when. */
  refused?: { readonly at: number; readonly by: { readonly [version: string]: string } } | undefined
}

interface Signal extends NewSignal {
  readonly seq: number
  readonly attempt: number
  used: boolean
}

interface Due extends Pick<Parameters<Service["due"]>[0], "kind" | "statuses"> {
  readonly isPaused?: boolean
}

interface GroupState<E> {
  /** How many of its jobs may run at once. */
  readonly most: number
  readonly active: number
  readonly waiting: number
  readonly first: E | undefined
}

const byId = Order.mapInput(Order.string, ({ submitted }: Entry) => submitted.id)

const ranks: { readonly [status: string]: number } = { interrupted: 0, parked: 1, pending: 2 }

const rank = ({ status, wokenBy }: State): number => (wokenBy === "retry" ? 2 : (ranks[status] ?? 0))

const byPriority = Order.mapInput(Order.reverse(Order.number), ({ submitted }: Entry) => submitted.priority ?? 0)

const byRank = Order.combine(
  Order.mapInput(Order.number, ({ state }: Entry) => rank(state)),
  byId
)

const inOrder = Order.combine(byPriority, byRank)

const sections: { readonly [waitsFor: string]: number } = { permit: 0, group: 1, time: 2, key: 3 }

/** A run that has begun counts as a run that waited for a permit. */
const section = ({ state: { waitsFor = "permit" } }: Entry): number => sections[waitsFor] ?? 0

const inQueue = Order.combineAll([
  Order.mapInput(Order.number, section),
  Order.mapInput(Order.reverse(Order.number), (entry: Entry) =>
    section(entry) <= 1 ? (entry.submitted.priority ?? 0) : 0
  ),
  Order.mapInput(Order.number, ({ state: { dueAt } }: Entry) =>
    dueAt === undefined ? 0 : DateTime.toEpochMillis(dueAt)
  ),
  byId
])

export const make = <E extends Entry>(entries: ReadonlyMap<JobId, E>, retries: ReadonlyMap<JobId, JobId>) => {
  const select = (matches: (entry: E) => boolean): Array<E> => [...entries.values()].filter(matches).sort(byId)

  const count = (matches: (entry: E) => boolean): number =>
    [...entries.values()].reduce((found, entry) => found + (matches(entry) ? 1 : 0), 0)

  const has =
    ({ key, kind, of }: Key) =>
    ({ state, submitted }: Entry): boolean =>
      submitted.kind === kind && (of === "key" ? state.key : submitted.startKey) === key

  const settings = new Map<string, GroupSettings>()

  /** The groups of a kind with jobs that run or wait: how many run, and which run is first of those that `isSeen`. */
  const groupsOf = (kind: string, isSeen: (entry: E) => boolean = () => true): ReadonlyMap<string, GroupState<E>> => {
    const groups = new Map<string, GroupState<E>>()
    const { isManual = false, maxPerGroup: most = Infinity } = settings.get(kind) ?? {}
    for (const entry of entries.values()) {
      const { group, status, waitsFor } = entry.state
      if (group === undefined || entry.submitted.kind !== kind) continue
      const isWaiting = waitsFor === "group" && !(isManual && status === "interrupted")
      if (!isWaiting && status !== "running") continue
      const { active, first, most: _, waiting } = groups.get(group) ?? { active: 0, first: undefined, waiting: 0, most }
      groups.set(group, {
        most,
        active: active + (isWaiting ? 0 : 1),
        waiting: waiting + (isWaiting ? 1 : 0),
        first: isWaiting && isSeen(entry) && (first === undefined || inOrder(entry, first) < 0) ? entry : first
      })
    }
    return groups
  }

  const activeIn = (groups: ReadonlyMap<string, GroupState<E>>, { state: { group } }: Entry): number =>
    group === undefined ? 0 : (groups.get(group)?.active ?? 0)

  const hasRoom = (groups: ReadonlyMap<string, GroupState<E>>, { state: { group } }: Entry): boolean => {
    if (group === undefined) return true
    const found = groups.get(group)
    return found !== undefined && found.active < found.most
  }

  const isFirst = (groups: ReadonlyMap<string, GroupState<E>>, entry: Entry): boolean =>
    hasRoom(groups, entry) && (entry.state.group === undefined || groups.get(entry.state.group)?.first === entry)

  /**
   * The ready runs of a kind, of each group only the first, and only if the group has room. Of a paused kind only runs that are due for a
   * stop, though others of their group may be before them.
   */
  const dueOf = ({ isPaused = false, kind, statuses }: Due, isSeen: (entry: E) => boolean = () => true) => {
    const ready = [...entries.values()].filter((entry) => {
      const { state, submitted } = entry
      const isWaiting = isReady(state.waitsFor) && statuses.some((status) => status === state.status)
      return submitted.kind === kind && isWaiting && isSeen(entry) && (!isPaused || isForStop(state))
    })
    if (!ready.some(({ state }) => state.group !== undefined)) return ready.sort(inOrder)
    const groups = groupsOf(kind, isSeen)
    if (isPaused) return ready.filter((entry) => hasRoom(groups, entry)).sort(byId)
    const byActive = Order.mapInput(Order.number, (entry: E) => activeIn(groups, entry))
    return ready.filter((entry) => isFirst(groups, entry)).sort(Order.combineAll<E>([byPriority, byActive, byRank]))
  }

  const waits = ({ state }: Entry) => state.waitsFor === "key"
  const asHolder = ({ state: { parked, status }, submitted: { id } }: Entry): Holder => ({
    id,
    status,
    ...(parked === undefined ? {} : { parked })
  })

  const owner = (key: Key) => select(has(key)).find((entry) => !isTerminal(entry.state.status) && !waits(entry))
  const firstWaiter = (key: Key) => select(has(key)).find(waits)
  const holder = (key: Key) => Option.map(Option.fromNullable(owner(key) ?? firstWaiter(key)), asHolder)

  const groupOf = (kind: string, group: string): Group => {
    const { active = 0, waiting = 0 } = groupsOf(kind).get(group) ?? {}
    const most = settings.get(kind)?.maxPerGroup
    return { active: Math.min(active, most ?? 0), waiting: Math.min(waiting, most ?? 0), most }
  }

  const lookup: Lookup<never> & GroupLookup<never> = {
    idempotent: (kind, key) =>
      Effect.sync(() => {
        const entry = [...entries.values()].find(
          ({ idempotencyKeys, submitted }) => submitted.kind === kind && idempotencyKeys.has(key)
        )
        const known = entry?.idempotencyKeys.get(key)
        return entry === undefined || known === undefined
          ? Option.none()
          : Option.some({ id: entry.submitted.id, request: known.request })
      }),
    holder: (key) => Effect.sync(() => holder(key)),
    replacing: (key) =>
      Effect.sync(() =>
        select((entry) => has(key)(entry) && waits(entry) && entry.submitted.whenKeyTaken === "replace").map(asHolder)
      ),
    retried: (kind, id) =>
      Effect.sync(() => {
        const entry = entries.get(id)
        return entry === undefined || entry.submitted.kind !== kind || !isTerminal(entry.state.status)
          ? Option.none()
          : Option.some({ chain: entry.retry?.chain ?? id, as: retries.get(id) })
      }),
    pending: (kind) =>
      Effect.sync(() => count(({ state, submitted }) => submitted.kind === kind && state.status === "pending")),
    group: (kind, group) => Effect.sync(() => groupOf(kind, group))
  }

  const keysOfEntry = ({ state, submitted }: Entry) => keysOf({ ...submitted, key: state.key })

  const heldKeys = (id: JobId): ReadonlyArray<HeldKey> => {
    const entry = entries.get(id)
    if (entry === undefined || isTerminal(entry.state.status)) return []
    return Array.getSomes(keysOfEntry(entry).map((key) => heldBy(key)(holder(key))))
  }

  /** Passes keys that a run no longer holds to the first waiter for each, if that may hold all of its keys. Returns these waiters. */
  const release = (keys: ReadonlyArray<Key>, at: DateTime.Utc): ReadonlyArray<E> =>
    keys.flatMap((key) => {
      const waiter = firstWaiter(key)
      if (waiter === undefined) return []
      const mayHold = keysOfEntry(waiter).every((key) => owner(key) === undefined && firstWaiter(key) === waiter)
      if (!mayHold) return []
      waiter.state = { ...waiter.state, ...waitingSince(waiter.submitted.startAt, at, waiter.state.group) }
      return [waiter]
    })

  const answer = ({ attached, id }: Existing) => {
    if (attached !== undefined) entries.get(id)?.idempotencyKeys.set(attached.key, attached)
    return { _tag: "Existing" as const, id }
  }

  const ofKind = (kind: string) => select(({ submitted }) => submitted.kind === kind)

  return {
    lookup,
    answer,
    attach: (attaching: Parameters<Service["attach"]>[0]) =>
      Effect.map(
        attachTo(attaching, lookup),
        Option.map((existing) => answer(existing).id)
      ),
    keysOfEntry,
    heldKeys,
    release,
    holder,

    groupOf,
    registerGroups: (of: GroupSettings) => void settings.set(of.kind, of),
    /** Whether a run that waits for its group is the first, and the group has room. */
    isFirstOfGroup: (entry: E): boolean =>
      entry.state.waitsFor === "group" && isFirst(groupsOf(entry.submitted.kind), entry),

    due: ({ limit, version = "", ...query }: Parameters<Service["due"]>[0] & Pick<Due, "isPaused">) =>
      dueOf(query, ({ refused }) => refused?.by[version] === undefined).slice(0, limit),

    countDue: ({ limit, ...query }: Parameters<Service["countDue"]>[0]): number =>
      Math.min(limit, dueOf(query).filter(({ refused }) => refused === undefined).length),

    next: ({
      shards,
      version,
      ...query
    }: Parameters<ClusterStore["next"]>[0] & Pick<Due, "isPaused">): Option.Option<E> => {
      const groups = groupsOf(query.kind)
      /** Refused by any version, or behind such a run in its group. */
      const isLeft = ({ refused, state: { group } }: E) =>
        refused !== undefined || (group !== undefined && groups.get(group)?.first?.refused !== undefined)
      const due = dueOf(query, ({ refused }) => refused?.by[version] === undefined)
      return Array.findFirst(
        due,
        (entry) => query.isPaused === true || isLeft(entry) || shards.includes(shardOf(entry.submitted.id))
      )
    },

    /** Pending runs after one of them, in the order in which they begin; `more` says whether there are further runs. */
    page: ({
      before,
      kind,
      limit
    }: {
      readonly kind: string
      readonly before: JobId | undefined
      readonly limit: number
    }) => {
      const last = before === undefined ? undefined : entries.get(before)
      const following = ofKind(kind)
        .filter((entry) => entry.state.status === "pending" && (last === undefined || inQueue(last, entry) < 0))
        .sort(inQueue)
      return { entries: following.slice(0, limit), more: following.length > limit }
    },

    backlog: (kind: string): Backlog => {
      const oldest = ofKind(kind).find(({ state }) => state.status === "pending")
      const parked = count(({ state, submitted }) => submitted.kind === kind && state.status === "parked")
      return {
        oldest: Option.map(Option.fromNullable(oldest), ({ submitted }) => submitted.id),
        parked: Math.min(parked, countedParked)
      }
    },

    countByStatus: (kind: string): Readonly<Record<RunStatus, number>> => {
      const counts = { ...noRuns }
      for (const { state, submitted } of entries.values()) if (submitted.kind === kind) counts[state.status] += 1
      for (const status of RunStatus.literals)
        if (isTerminal(status)) counts[status] = Math.min(counts[status], countedEnded)
      return counts
    },

    nextDueAt: (kind: string) =>
      Option.fromNullable(
        ofKind(kind)
          .flatMap(({ state }) => (state.waitsFor === "time" && state.dueAt !== undefined ? [state.dueAt] : []))
          .sort(DateTime.Order)[0]
      ),

    wakeDue: (kind: string, at: DateTime.Utc): ReadonlyArray<E> => {
      const woken = ofKind(kind).filter(
        ({ state: { dueAt, waitsFor } }) =>
          waitsFor === "time" && dueAt !== undefined && DateTime.lessThanOrEqualTo(dueAt, at)
      )
      for (const entry of woken) {
        entry.state = {
          ...entry.state,
          waitsFor: readiness(entry.state.group),
          dueAt: undefined,
          wokenBy: entry.state.status === "parked" ? wokenByTime(entry.state.parked) : undefined
        }
      }
      return woken
    },

    isSignalled: ({ signals }: Entry, name: string): boolean =>
      signals.some((signal) => signal.name === name && !signal.used),

    useSignals: ({ signals }: Entry, name: string): void => {
      for (const signal of signals) if (signal.name === name) signal.used = true
    }
  }
}
