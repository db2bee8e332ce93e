/**
 * The writes of runs: each is one transaction that checks, changes the row and appends the event.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Exit, Option } from "effect"
import {
  type IdempotencyKeyReused,
  type JobConflict,
  JobEnded,
  JobNotFound,
  KindPaused,
  type MaxJobsReached,
  type QueueFull,
  Superseded,
  TooManySignals
} from "../../domain/errors.js"
import { isTerminal } from "../../domain/RunStatus.js"
import { isWorkflow } from "../../domain/workflowKind.js"
import { admitRun, attachTo, type Decision, fullGroup, groupRefusal, keysOf } from "../rules/admitRun.js"
import type { Attaching, Beginning, Change, Created, Holder, NewRun, Outbox, Service } from "../port/RunStoreService.js"
import * as recordedProgress from "../rules/recordedProgress.js"
import { rescheduled } from "../rules/rescheduled.js"
import * as RunTransition from "../rules/RunTransition.js"
import { type Batch, current } from "./Batch.js"
import type { Connection } from "./Dialect.js"
import type { JobId } from "../../domain/JobId.js"
import type { Parked, Progress } from "../../domain/Run.js"
import * as childWrites from "./childWrites.js"
import * as childRules from "../rules/childRules.js"
import * as decisions from "./decisions.js"
import { tellWaiters } from "./decisionWrites.js"
import * as idempotencyKeys from "./idempotencyKeys.js"
import * as keys from "./keys.js"
import type { Kinds } from "./kinds.js"
import { lookup, lookupIn } from "./lookup.js"
import * as outbox from "./outbox.js"
import * as questions from "./questions.js"
import * as queue from "./queue.js"
import * as requests from "./requests.js"
import * as runs from "./runs.js"
import * as signals from "./signals.js"
import type { Lanes } from "./Lanes.js"

type Writes = Pick<
  Service,
  "create" | "attach" | "record" | "begin" | "append" | "progress" | "wake" | "wakeDue" | "reschedule" | "signal"
> & {
  /** Queues the runs in the outbox, at most 1,000 at once. Returns how many. */
  readonly queueCommitted: Outbox["queue"]
}

const running: Created = { _tag: "Running" }

/**
 * Writes the change, passes the keys of a run that has ended to the next run, and tells its parent. A stop stops its children. Returns the type
 * of its event.
 */
export const apply = (
  batch: Batch,
  head: runs.Head,
  requested: Change,
  isSignalled: boolean
): Effect.Effect<Change["type"], Superseded | SqlError> =>
  Effect.gen(function* () {
    const change = RunTransition.asRecorded(head.state, requested)
    const { at, attempt, jobId, type } = change
    const next = RunTransition.next(head.state, change, isSignalled)
    if (next === undefined) return yield* new Superseded({ jobId, attempt })
    const to = childRules.afterPark(next, change, head.childEnds)
    yield* batch.update(jobId, head, to, RunTransition.changeEvent(change))
    if (childRules.isStop(type)) yield* stopChildren(batch, head, { at, jobId })
    if (isTerminal(to.status)) {
      yield* keys.release(batch, runs.keysOfHead(head), at)
      if (head.parent !== undefined) yield* childWrites.ended(batch, head.parent, at)
      if (isWorkflow(head.kind)) yield* tellWaiters(batch, jobId, head.kind, at)
    }
    return type
  })

/** Stops the children of a job that is stopped. */
const stopChildren = (
  batch: Batch,
  parent: runs.Head,
  stop: Pick<Change, "at" | "jobId">
): Effect.Effect<void, Superseded | SqlError> =>
  childWrites.stopAll(batch, parent, stop, (head, change) => apply(batch, head, change, false))

/** Whether the signal has come for which a run parks, or one of its questions was answered, or more was decided about it. */
const isSignalled = (connection: Connection, jobId: JobId, { decisions: known, questions: asked, signal }: Parked) => {
  if (known !== undefined) return Effect.map(decisions.count(connection, jobId), (decided) => decided > known)
  if (asked !== undefined)
    return Effect.map(questions.open(connection, [jobId]), (open) => (open.get(jobId)?.length ?? 0) < asked)
  return signal === undefined ? Effect.succeed(false) : signals.isWaiting(connection, jobId, signal)
}

/** Cancels a run that another replaces. For a running run, it records the stop intent instead, and returns the id. */
export const replace = (batch: Batch, { id }: Holder, at: Change["at"]) =>
  Effect.gen(function* () {
    const head = yield* batch.reload(id)
    if (head === undefined || isTerminal(head.state.status)) return []
    const { attempt, status, stoppingAt } = head.state
    if (status !== "running") {
      yield* apply(batch, head, { type: "job.cancelled", jobId: id, attempt, at }, false)
      return []
    }
    if (stoppingAt === undefined) yield* apply(batch, head, { type: "job.stopping", jobId: id, attempt, at }, false)
    return [id]
  })

/** Inserts an admitted run with its first event. */
export const insert = (
  batch: Batch,
  run: NewRun,
  { replaced, retry, state }: Extract<Decision, { readonly _tag: "New" }>,
  /** Where the run is placed in a cluster, and the node that has taken it. */
  on?: runs.Place
): Effect.Effect<Created, Superseded | SqlError> =>
  Effect.gen(function* () {
    batch.insert(run, state, { ...(on && { on }), retry })
    batch.append(run.id, [RunTransition.createdEvent({ ...run, retryOf: retry?.of }, state)])
    const replaces = yield* Effect.forEach(replaced, (holder) => replace(batch, holder, run.at))
    return state.status === "running" ? running : { _tag: "Pending", replaces: replaces.flat() }
  })

/** Begins an attempt of a waiting run, unless its group is full, or another job holds its key. */
export const begin = (
  batch: Batch,
  beginning: Beginning
): Effect.Effect<"running" | "stopping" | "waits", MaxJobsReached | Superseded | SqlError> =>
  Effect.gen(function* () {
    const { at, attempt, jobId, key } = beginning
    const head = batch.head(jobId)
    const to = head && RunTransition.begun(head.state, beginning)
    if (head === undefined || to === undefined) return yield* new Superseded({ jobId, attempt })
    const { group, parked, wokenBy } = head.state
    if (group !== undefined) {
      const full = fullGroup(group, yield* batch.group(head.kind, group), { isNew: false })
      if (full !== undefined) return yield* full
    }
    if (key !== undefined && head.state.key === undefined) {
      const connection = yield* batch.connection
      yield* batch.lockAdmission(head.kind)
      const holder = yield* keys.holder(connection, { kind: head.kind, of: "key", key })
      if (Option.isSome(holder)) {
        yield* batch.change(jobId, head, { ...head.state, key, waitsFor: "key" })
        // The waiting run holds no key any more, so the next run can get its other key.
        yield* keys.release(batch, runs.keysOfHead(head), at)
        return "waits"
      }
    }
    if (beginning.submission !== undefined) {
      yield* runs.recordSubmission(yield* batch.connection, jobId, beginning.submission)
    }
    if (beginning.trace !== undefined) yield* runs.recordTrace(yield* batch.connection, jobId, beginning.trace)
    if (parked?.signal !== undefined && wokenBy === "signal") {
      yield* signals.use(yield* batch.connection, jobId, parked.signal)
    }
    yield* batch.change(jobId, head, to)
    batch.append(jobId, RunTransition.begunEvents(beginning, head.state))
    return to.stoppingAt === undefined ? "running" : "stopping"
  })

/** Attaches a request to the job that holds a key, in a transaction that records its idempotency key. */
const attach = (batch: Batch, attaching: Attaching) =>
  Effect.gen(function* () {
    const { kind } = attaching.to
    const connection = yield* batch.connection
    yield* batch.lockAdmission(kind)
    const existing = yield* attachTo(attaching, lookup(batch.connection))
    if (Option.isNone(existing)) return Option.none()
    const { id } = yield* idempotencyKeys.answer(connection, kind, existing.value)
    return Option.some(id)
  })

/** Whether a start may have to wait for a transaction of an application that has inserted a run with the same key. */
export const isKeyed = (run: Pick<NewRun, "kind" | "key" | "startKey" | "idempotency">): boolean =>
  keysOf(run).length > 0 || run.idempotency !== undefined

export const make = (
  { admit, write }: Pick<Lanes, "admit" | "write">,
  { isPaused }: Pick<Kinds, "isPaused">,
  now: Service["now"]
): Writes => ({
  create: (run) => {
    if (
      !isKeyed(run) &&
      run.group === undefined &&
      !run.isQueued &&
      run.startAt === undefined &&
      run.retryOf === undefined
    ) {
      return write<Created, KindPaused>({
        operation: "start a job",
        lane: "fast",
        body: (batch) => {
          if (isPaused(run.kind)) return Exit.fail(new KindPaused({ kind: run.kind }))
          const state = RunTransition.initial(run)
          batch.insert(run, state)
          batch.append(run.id, [RunTransition.createdEvent({ at: run.at }, state)])
          return Exit.succeed(running)
        }
      })
    }
    return admit({
      operation: "start a job",
      lane: "fast",
      isAlone: isKeyed(run),
      of: run,
      body: (
        batch
      ): Effect.Effect<
        Created,
        JobConflict | KindPaused | MaxJobsReached | QueueFull | IdempotencyKeyReused | SqlError
      > =>
        Effect.gen(function* () {
          const { kind } = run
          yield* batch.lockAdmission(kind)
          const reads = lookupIn(batch)
          const decision = yield* admitRun(run, reads)
          if (decision._tag === "Existing") {
            return yield* idempotencyKeys.answer(yield* batch.connection, kind, decision)
          }
          if (decision.state.status === "running") {
            if (isPaused(kind)) return yield* new KindPaused({ kind })
            const full = yield* groupRefusal(run, reads)
            if (full !== undefined) return yield* full
          }
          return yield* insert(batch, run, decision)
        }).pipe(Effect.catchTag("Superseded", Effect.die))
    })
  },

  attach: (attaching) =>
    admit({ operation: "attach to a job", lane: "fast", isAlone: true, body: (batch) => attach(batch, attaching) }),

  record: (requested) => {
    const change = RunTransition.truncateError(requested)
    const { attempt, jobId, parked, type } = change
    return write({
      operation: `record ${type}`,
      lane: "fast",
      about: jobId,
      body: (batch): Effect.Effect<Change["type"], Superseded | SqlError> => {
        const head = batch.head(jobId)
        if (head === undefined) return Exit.fail(new Superseded({ jobId, attempt }))
        if (type !== "job.parked" || parked?.signal === undefined) return apply(batch, head, change, false)
        return Effect.flatMap(batch.connection, (connection) =>
          Effect.flatMap(isSignalled(connection, jobId, parked), (isSignalled) =>
            apply(batch, head, change, isSignalled)
          )
        )
      }
    })
  },

  begin: (beginning) =>
    admit({
      operation: "begin a job",
      lane: "fast",
      isAlone: beginning.key !== undefined,
      about: beginning.jobId,
      body: (
        batch
      ): Effect.Effect<"running" | "stopping" | "waits", KindPaused | MaxJobsReached | Superseded | SqlError> => {
        const head = batch.head(beginning.jobId)
        const isHeldUp = head !== undefined && isPaused(head.kind) && !RunTransition.isForStop(head.state)
        return isHeldUp ? new KindPaused({ kind: head.kind }) : begin(batch, beginning)
      }
    }),

  append: ({ attempt, events: emitted, jobId }) =>
    write({
      operation: "append events",
      lane: "slow",
      weight: emitted.length,
      about: jobId,
      body: (batch): Effect.Effect<void, Superseded | SqlError> => {
        const append = (): Exit.Exit<void> => {
          batch.append(jobId, emitted)
          return Exit.void
        }
        const head = current(batch, jobId, attempt)
        if (head === undefined) return Exit.fail(new Superseded({ jobId, attempt }))
        return head.state.crashes > 0 ? Effect.flatMap(batch.resetCrashes(jobId, head), append) : append()
      }
    }),

  progress: (reported) => {
    const { attempt, jobId } = reported
    return write({
      operation: "record progress",
      lane: "slow",
      about: jobId,
      body: (batch): Effect.Effect<Progress, Superseded | SqlError> => {
        if (current(batch, jobId, attempt) === undefined) return Exit.fail(new Superseded({ jobId, attempt }))
        const recorded = recordedProgress.recorded(reported)
        return Effect.as(
          Effect.flatMap(batch.connection, (connection) => runs.recordProgress(connection, jobId, recorded)),
          recordedProgress.progressOf(recorded)
        )
      }
    })
  },

  wake: (jobId, by = "resume", sender) =>
    Effect.flatMap(now, (at) =>
      write({
        operation: "wake a job",
        lane: "fast",
        about: jobId,
        body: (batch) =>
          Effect.gen(function* () {
            const head = batch.head(jobId)
            const to = head && RunTransition.woken(head.state, by, sender)
            if (head === undefined || to === undefined) {
              return yield* new Superseded({ jobId, attempt: head?.state.attempt ?? 0 })
            }
            yield* batch.change(jobId, head, to)
            if (by === "stop") yield* stopChildren(batch, head, { at, jobId })
          })
      })
    ),

  wakeDue: ({ at, kind }) =>
    write<number, never>({
      operation: "wake jobs",
      lane: "fast",
      body: (batch) =>
        Effect.gen(function* () {
          const woken = yield* queue.wakeDue(yield* batch.connection, kind, at)
          for (const { grp, id } of woken) {
            batch.regroup(kind, grp ?? undefined)
            if (batch.head(id) !== undefined) yield* batch.reload(id)
          }
          if (woken.length > 0) batch.waits({ kind, waitsFor: "permit" })
          return woken.length
        })
    }),

  reschedule: (rescheduling) =>
    write({
      operation: "reschedule a job",
      lane: "fast",
      about: rescheduling.jobId,
      body: (batch) =>
        Effect.gen(function* () {
          const { jobId, kind } = rescheduling
          const head = batch.head(jobId)
          if (head === undefined || head.kind !== kind) return yield* new JobNotFound({ jobId })
          const changed = yield* rescheduled(head.state, head, rescheduling)
          if (Option.isNone(changed)) return
          const { event, state } = changed.value
          yield* runs.reschedule(yield* batch.connection, jobId, changed.value)
          batch.append(jobId, [event])
          batch.waits({ kind, waitsFor: state.waitsFor })
          batch.regroup(kind, state.group)
          yield* batch.reload(jobId)
        })
    }),

  queueCommitted: (kind) =>
    admit<number, never>({
      operation: "queue jobs",
      lane: "fast",
      body: (batch) =>
        Effect.gen(function* () {
          const ids = yield* outbox.ids(yield* batch.connection, kind)
          yield* batch.load(ids)
          return ids.length
        })
    }),

  signal: (signal) =>
    write({
      operation: "signal a job",
      lane: "fast",
      about: signal.jobId,
      body: (batch) =>
        Effect.gen(function* () {
          const { jobId, kind, limit, name, request } = signal
          const head = batch.head(jobId)
          if (head === undefined || head.kind !== kind) return yield* new JobNotFound({ jobId })
          const { attempt, status } = head.state
          if (isTerminal(status)) return yield* new JobEnded({ jobId, status })
          const connection = yield* batch.connection
          if ((yield* signals.countDuring(connection, jobId, attempt)) >= limit) {
            return yield* new TooManySignals({ jobId, limit })
          }
          if (request !== undefined && !(yield* requests.remove(connection, request))) return
          yield* signals.insert(connection, signal, attempt, head.seq + 1)
          const to = RunTransition.isWokenBy(head.state, name) ? RunTransition.woken(head.state, "signal") : undefined
          if (to === undefined) return batch.append(jobId, [RunTransition.signalEvent(signal)])
          yield* batch.update(jobId, head, to, RunTransition.signalEvent(signal))
        })
    })
})
