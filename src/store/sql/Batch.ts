/**
 * The shared state of the writes in one transaction. The heads of their jobs are read in one query, and inserts and updates
 * are buffered and flushed together.
 */
import type { Connection } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { type DateTime, Effect, Exit } from "effect"
import type { JobId } from "../../domain/JobId.js"
import type { NewlyWaiting } from "../port/ChangeNotifier.js"
import type { AcceptedEvent, Group, Key, NewRun } from "../port/RunStoreService.js"
import { keysOf, type Retry } from "../rules/admitRun.js"
import { acceptsEvents, type State } from "../rules/RunTransition.js"
import * as cluster from "./cluster.js"
import * as events from "./events.js"
import * as groups from "./groups.js"
import * as outbox from "./outbox.js"
import * as queue from "./queue.js"
import * as runs from "./runs.js"

export interface Batch {
  /** The head of a job; undefined if there is no such run. */
  readonly head: (jobId: JobId) => runs.Head | undefined
  readonly insert: (
    run: NewRun,
    state: State,
    options?: { readonly on?: runs.Place; readonly retry?: Retry | undefined }
  ) => void
  /** Buffers that the running attempt of a job is placed on an address, or is taken by a node. */
  readonly assign: (jobId: JobId, head: runs.Head, on: runs.Place) => void
  /** Reads the heads of jobs that this batch has not written to. */
  readonly load: (jobIds: ReadonlyArray<JobId>) => Effect.Effect<void, SqlError>
  /** Flushes the buffers, and reads the head of a job that this batch may not have read, or may have changed by a statement. */
  readonly reload: (jobId: JobId) => Effect.Effect<runs.Head | undefined, SqlError>
  /** Buffers a state change with its event. A second change of the same job flushes the first. */
  readonly update: (jobId: JobId, head: runs.Head, to: State, event: AcceptedEvent) => Effect.Effect<void, SqlError>
  /** Buffers a change without an event. */
  readonly change: (jobId: JobId, head: runs.Head, to: State) => Effect.Effect<void, SqlError>
  /** Resets the crash count, since the orchestrator has emitted an event. */
  readonly resetCrashes: (jobId: JobId, head: runs.Head) => Effect.Effect<void, SqlError>
  /** Assigns the next sequence numbers of the job to the events and buffers them. */
  readonly append: (jobId: JobId, events: ReadonlyArray<AcceptedEvent>) => void
  /** Records what a run waits for after a statement outside of the buffers, to notify of it after the commit. */
  readonly waits: (waiting: NewlyWaiting) => void
  /** Reads a group again at the end of the transaction, since one of its runs begins, ends or waits for it. */
  readonly regroup: (kind: string, group: string | undefined) => void
  /**
   * The jobs of a group with the buffered changes, under the lock of the kind. They are counted once for all runs that this batch begins and
   * inserts, in one statement with the other groups of its writes: no other transaction begins a job of the group meanwhile.
   */
  readonly group: (kind: string, group: string) => Effect.Effect<Group, SqlError>
  /** How many runs of a kind are pending with the buffered changes, under the lock of the kind; read once for all runs that this batch inserts. */
  readonly pending: (kind: string) => Effect.Effect<number, SqlError>
  /** Notifies the manager of a kind, after the commit, of what a producer has written. */
  readonly submits: (kind: string) => void
  /** Locks the keys, the limit and the number of pending runs of a kind, once. */
  readonly lockAdmission: (kind: string) => Effect.Effect<void, SqlError>
  /** Records keys to hand on after the commit, in a transaction that locks their kind; `false` if this transaction hands them on. */
  readonly handOnLater: (keys: ReadonlyArray<Key>, at: DateTime.Utc) => boolean
  /** The notifications and hand-overs after the commit. */
  readonly news: News
  /** Flushes all buffers, at the end of the transaction. */
  readonly flush: Effect.Effect<void, SqlError>
  /** The connection for other statements, once the buffered changes of runs are flushed. */
  readonly connection: Effect.Effect<Connection, SqlError>
}

export interface News {
  /** Jobs with new events. */
  readonly jobs: ReadonlySet<JobId>
  readonly waits: ReadonlyArray<NewlyWaiting>
  /** The kinds about which a producer has written. */
  readonly submitted: ReadonlySet<string>
  readonly released: ReadonlyArray<Released>
  /** The kinds with marked groups, to settle in a transaction that locks the kind. */
  readonly regrouped: ReadonlySet<string>
}

/** A key that a run has held, or that may be awaited though no run holds it any more. */
export interface Released {
  readonly key: Key
  readonly at: DateTime.Utc
}

/** The head of a job; undefined unless this attempt is running. */
export const current = (batch: Batch, jobId: JobId, attempt: number): runs.Head | undefined => {
  const head = batch.head(jobId)
  return head !== undefined && acceptsEvents(head.state, attempt) ? head : undefined
}

/** The group of a run, if it has one. */
export interface GroupOf {
  readonly kind: string
  readonly group?: string | undefined
}

const groupName = (kind: string, group: string): string => JSON.stringify([kind, group])

/** A batch for writes about these jobs, and of runs in these groups. */
export const make = (
  connection: Connection,
  jobIds: ReadonlyArray<JobId>,
  expected: ReadonlyArray<GroupOf> = []
): Effect.Effect<Batch, SqlError> => {
  const batch = buffered(connection, expected)
  return jobIds.length === 0 ? Effect.succeed(batch) : Effect.as(batch.load(jobIds), batch)
}

const buffered = (connection: Connection, expected: ReadonlyArray<GroupOf>): Batch => {
  const heads = new Map<JobId, runs.Head>()
  let inserted: Array<runs.NewRow> = []
  let updated = new Map<JobId, runs.Change>()
  let assigned = new Map<string, { readonly on: runs.Place; readonly jobIds: ReadonlyArray<JobId> }>()
  let appended: Array<events.NewRow> = []
  const jobs = new Set<JobId>()
  const waiting: Array<NewlyWaiting> = []
  const submitted = new Set<string>()
  const released: Array<Released> = []
  const lockedKinds = new Set<string>()
  let changedGroups = new Map<string, Set<string>>()
  const countedGroups = new Map<string, Group>()
  const countedPending = new Map<string, number>()
  const regrouped = new Set<string>()

  const handOnLater: Batch["handOnLater"] = (keys, at) => {
    const { isConcurrent } = connection.dialect
    if (isConcurrent) for (const key of keys) released.push({ key, at })
    return isConcurrent
  }

  const morePending = (kind: string, more: number): void => {
    const counted = countedPending.get(kind)
    if (counted !== undefined) countedPending.set(kind, counted + more)
  }

  const waits: Batch["waits"] = (newlyWaiting) => {
    if (newlyWaiting.waitsFor !== undefined) waiting.push(newlyWaiting)
  }

  const lockAdmission: Batch["lockAdmission"] = (kind) => {
    if (lockedKinds.has(kind)) return Effect.void
    lockedKinds.add(kind)
    return connection.dialect.lockAdmission(connection, kind)
  }

  /**
   * Without `more`, the group is counted again when it is needed: the counts end at the limit, so one less than a count may be too few. A
   * run that begins moves from one count to the other, and their sum stays.
   */
  const regroup = (kind: string, group: string | undefined, more?: Pick<Group, "active" | "waiting">): void => {
    if (group === undefined) return
    const name = groupName(kind, group)
    const counted = countedGroups.get(name)
    if (counted !== undefined && more !== undefined) {
      const { active, waiting, ...rest } = counted
      countedGroups.set(name, { ...rest, active: active + more.active, waiting: waiting + more.waiting })
    } else countedGroups.delete(name)
    const changed = changedGroups.get(kind)
    if (changed === undefined) changedGroups.set(kind, new Set([group]))
    else changed.add(group)
  }

  /**
   * Reads changed groups again. If other transactions change their runs at the same time, a transaction that locks the kind does so after
   * the commit: it sees what all of them have committed.
   */
  const settleGroups = Effect.suspend(() => {
    const changed = [...changedGroups]
    changedGroups = new Map()
    return Effect.forEach(
      changed,
      ([kind, names]) => {
        if (connection.dialect.isConcurrent && !lockedKinds.has(kind)) {
          regrouped.add(kind)
          return groups.mark(connection, kind, [...names])
        }
        waits({ kind, waitsFor: "group" })
        return groups.settle(connection, kind, [...names])
      },
      { discard: true }
    )
  })

  const append: Batch["append"] = (jobId, added) => {
    const head = heads.get(jobId)
    if (head === undefined) throw new Error(`events of job ${jobId} are appended before its head is read`)
    for (const [i, event] of added.entries()) appended.push(events.newRow(jobId, head.seq + i + 1, event))
    heads.set(jobId, { ...head, seq: head.seq + added.length })
    jobs.add(jobId)
  }

  /** The groups of a kind that the writes of this batch are expected to need, and that are not counted yet. */
  const uncounted = (kind: string): Set<string> => {
    const waiting = [...heads.values()].flatMap(({ kind, state }) =>
      state.waitsFor === "group" ? [{ ...state, kind }] : []
    )
    const needed = new Set<string>()
    for (const { group, kind: of } of [...expected, ...waiting]) {
      if (of === kind && group !== undefined && !countedGroups.has(groupName(kind, group))) needed.add(group)
    }
    return needed
  }

  const flush = Effect.suspend(() => {
    const changes = [...updated.values()]
    const newRuns = inserted
    const assignments = [...assigned.values()]
    inserted = []
    updated = new Map()
    assigned = new Map()
    const insertRuns = newRuns.length === 0 ? Effect.void : connection.dialect.insertRuns(connection, newRuns)
    // Assignments come last, since the attempt that a node takes may have begun in this batch.
    const assignRuns = Effect.forEach(assignments, ({ jobIds, on }) => cluster.assign(connection, jobIds, on), {
      discard: true
    })
    return insertRuns.pipe(Effect.zipRight(runs.update(connection, changes)), Effect.zipRight(assignRuns))
  })

  /** The events come last: on PostgreSQL, other writers wait for the cursors from here to the commit. */
  const flushAll = Effect.zipRight(
    Effect.zipRight(flush, settleGroups),
    Effect.suspend(() => {
      const newEvents = appended
      appended = []
      return newEvents.length === 0 ? Effect.void : connection.dialect.insertEvents(connection, newEvents)
    })
  )

  const change: Batch["change"] = (jobId, head, to) => {
    const apply = (): Exit.Exit<void> => {
      updated.set(jobId, runs.change(jobId, head.state, to))
      heads.set(jobId, { ...head, state: to, runner: to.status === "running" ? head.runner : undefined })
      const isRunning = to.status === "running"
      const isWaiting = head.state.waitsFor === "group" || to.waitsFor === "group"
      // An interrupted run may wait for a person, and is not counted then.
      const isCounted = head.state.waitsFor === "group" && head.state.status !== "interrupted"
      const more = isRunning && isCounted ? { active: 1, waiting: -1 } : undefined
      if (isWaiting || isRunning !== (head.state.status === "running")) regroup(head.kind, to.group, more)
      if (head.state.status === "pending" && to.status !== "pending") morePending(head.kind, -1)
      waits({ kind: head.kind, waitsFor: to.waitsFor })
      return Exit.void
    }
    return updated.has(jobId) ? Effect.flatMap(flush, apply) : apply()
  }

  /** Loads heads. A run that is still in the outbox gets its first event before anything else is written about it. */
  const load: Batch["load"] = (jobIds) =>
    Effect.flatMap(runs.heads(connection, jobIds), (read) => {
      const inOutbox: Array<JobId> = []
      for (const [jobId, head] of read) {
        heads.set(jobId, head)
        if (head.isInOutbox) inOutbox.push(jobId)
      }
      return inOutbox.length === 0
        ? Effect.void
        : Effect.map(outbox.take(connection, inOutbox), (taken) => {
            for (const { event, group, jobId, keys, waiting } of taken) {
              countedPending.delete(waiting.kind)
              regroup(waiting.kind, group)
              append(jobId, [event])
              waits(waiting)
              // The holder may have ended before the transaction of the waiting run was committed, and did not see that it waits.
              if (waiting.waitsFor === "key") handOnLater(keysOf({ kind: waiting.kind, ...keys }), event.at)
            }
          })
    })

  return {
    append,
    flush: flushAll,
    load,
    waits,
    regroup: (kind, group) => regroup(kind, group),
    submits: (kind) => void submitted.add(kind),
    handOnLater,
    lockAdmission,
    group: (kind, group) =>
      Effect.gen(function* () {
        const name = groupName(kind, group)
        const counted = countedGroups.get(name)
        if (counted !== undefined) return counted
        yield* lockAdmission(kind)
        const names = [...uncounted(kind).add(group)]
        const changed = changedGroups.get(kind)
        if (changed !== undefined && names.some((group) => changed.has(group))) yield* flush
        const found = yield* groups.counts(connection, kind, names)
        for (const [group, counts] of found) countedGroups.set(groupName(kind, group), counts)
        return found.get(group) ?? groups.none
      }),
    pending: (kind) =>
      Effect.gen(function* () {
        const counted = countedPending.get(kind)
        if (counted !== undefined) return counted
        yield* lockAdmission(kind)
        yield* flush
        const found = yield* queue.pending(connection, kind)
        countedPending.set(kind, found)
        return found
      }),
    news: { jobs, waits: waiting, submitted, released, regrouped },
    connection: Effect.as(flush, connection),
    head: (jobId) => heads.get(jobId),

    assign: (jobId, head, on) => {
      const place = on.node ?? `placed on ${on.address}`
      const jobIds = assigned.get(place)?.jobIds ?? []
      assigned.set(place, { on, jobIds: [...jobIds, jobId] })
      heads.set(jobId, { ...head, runner: on.node })
    },

    insert: (run, state, { on, retry } = {}) => {
      inserted.push(runs.newRow(run, state, { on, retry }))
      heads.set(run.id, runs.newHead(run, state, { on, retry }))
      waits({ kind: run.kind, waitsFor: state.waitsFor })
      if (state.status === "pending") morePending(run.kind, 1)
      if (state.status === "running") regroup(run.kind, state.group, { active: 1, waiting: 0 })
      else if (state.waitsFor === "group") regroup(run.kind, state.group, { active: 0, waiting: 1 })
    },

    reload: (jobId) => Effect.map(Effect.zipRight(flushAll, load([jobId])), () => heads.get(jobId)),

    change,
    update: (jobId, head, to, event) => Effect.map(change(jobId, head, to), () => append(jobId, [event])),
    resetCrashes: (jobId, head) => change(jobId, head, { ...head.state, crashes: 0 })
  }
}
