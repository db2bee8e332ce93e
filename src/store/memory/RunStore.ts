/**
 * The in-memory store: the same rules, without persistence. It serves tests, and applications that need no history.
 */
import { type DateTime, Duration, Effect, Option } from "effect"
import {
  JobEnded,
  JobNotFound,
  KindPaused,
  type MaxJobsReached,
  Superseded,
  TooManySignals
} from "../../domain/errors.js"
import { parse, toJson } from "../../internal/Json.js"
import { now } from "../../internal/now.js"
import { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import { RecordedSignal } from "../../domain/RecordedSignal.js"
import { type Parked, type Run, RunError } from "../../domain/Run.js"
import { isTerminal } from "../../domain/RunStatus.js"
import { admitRun, fullGroup, groupRefusal } from "../rules/admitRun.js"
import * as childRules from "../rules/childRules.js"
import * as answering from "../rules/answering.js"
import * as MemoryAgentLimitStore from "./AgentLimitStore.js"
import * as MemoryChildProcessStore from "./ChildProcessStore.js"
import * as MemoryChildStore from "./ChildStore.js"
import * as MemoryClusterStore from "./ClusterStore.js"
import * as MemoryDecisionStore from "./DecisionStore.js"
import * as MemoryEventLog from "./EventLog.js"
import * as MemoryKindStore from "./KindStore.js"
import * as MemoryOwnerStore from "./OwnerStore.js"
import * as MemoryProducerStore from "./ProducerStore.js"
import * as MemoryQuestionStore from "./QuestionStore.js"
import * as MemoryQueue from "./Queue.js"
import * as MemoryRetention from "./Retention.js"
import * as MemoryRunReads from "./RunReads.js"
import type { Entry } from "./RunReads.js"
import type { AcceptedEvent, Change, Holder, Service } from "../port/RunStoreService.js"
import * as MemoryScheduleStore from "./ScheduleStore.js"
import * as MemoryStepStore from "./StepStore.js"
import * as MemorySubscriberStore from "./SubscriberStore.js"
import * as MemoryTaskProgressStore from "./TaskProgressStore.js"
import * as Page from "../rules/Page.js"
import * as ChangeNotifier from "../port/ChangeNotifier.js"
import * as recordedProgress from "../rules/recordedProgress.js"
import { rescheduled } from "../rules/rescheduled.js"
import * as RunTransition from "../rules/RunTransition.js"

/** Copies the state, since the caller may mutate what it passed in. */
const snapshot = (state: RunTransition.State): RunTransition.State => ({
  ...state,
  result: toJson(state.result),
  error: state.error && new RunError({ ...state.error, error: toJson(state.error.error) }, { disableValidation: true })
})

/** Runs one atomic step synchronously: no other fiber runs between check, write and notification. */
const write = <A, E>(body: () => Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.suspend(() => Effect.runSyncExit(Effect.suspend(body)))

export const make: Effect.Effect<Service> = Effect.gen(function* () {
  const notifier = yield* ChangeNotifier.make
  const entries = new Map<JobId, Entry>()
  /** The runs that retry others, by the runs that they retry. */
  const retries = new Map<JobId, JobId>()
  const kindOf = (id: JobId) => entries.get(id)?.submitted.kind
  const log = MemoryEventLog.make(kindOf)
  const kinds = MemoryKindStore.make(notifier)
  const { isHeld, miss, ...subscribers } = MemorySubscriberStore.make({ kindOf, log, notifier })
  const childProcesses = MemoryChildProcessStore.make(kindOf)
  let latestId = Option.none<JobId>()
  const { ended, isPinned, retention } = yield* MemoryRetention.make({
    entries,
    retries,
    hasProcesses: childProcesses.has,
    isHeld: ({ events, submitted: { kind } }, run) => isHeld({ ...run, kind, last: events.at(-1)?.event.cursor ?? 0 }),
    onHidden: (entry) => {
      const {
        events,
        retry,
        submitted: { id, kind }
      } = entry
      miss(kind, events)
      if (retry !== undefined && retries.get(retry.of) === id) retries.delete(retry.of)
      log.drop(events.length)
      work.forget(id)
      childProcesses.forget(id)
      agentLimits.forget(id)
      questions.forget(id)
      steps.forget(id)
      children.forget(id)
      decisions.forget(entry)
    }
  })
  const isHandled = ({ retry, state, submitted: { id, parent } }: Entry): boolean => {
    if (state.status !== "failed" || parent === undefined) return false
    const known = entries.get(parent)
    if (known === undefined || known.state.endedAt === undefined) return true
    const chain = known.retry?.chain ?? parent
    const key = entries.get(retry?.chain ?? id)?.submitted.idempotency?.key ?? ""
    return steps.has(chain, `child/${key.slice(chain.length + 1)}`)
  }
  const toRun = (entry: Entry): Run =>
    MemoryRunReads.runOf(entry, {
      isHandled: isHandled(entry),
      isPinned: isPinned(entry.submitted.id),
      isFirstOfGroup: queue.isFirstOfGroup(entry),
      isPaused: kinds.hasPaused(entry.submitted.kind),
      retriedAs: retries.get(entry.submitted.id)
    })

  const append = (entry: Entry, events: ReadonlyArray<AcceptedEvent>) => {
    for (const { at, payload, task, type, unit } of events) {
      const event = new JobEvent(
        {
          jobId: entry.submitted.id,
          seq: entry.events.length + 1,
          cursor: log.latest() + 1,
          at,
          type,
          ...(unit === undefined ? {} : { unit }),
          ...(task === undefined ? {} : { task }),
          ...(payload === undefined ? {} : { payload: parse(payload) })
        },
        { disableValidation: true }
      )
      const logged = { event, bytes: payload === undefined ? 0 : Buffer.byteLength(payload) }
      entry.events.push(logged)
      log.push(logged)
    }
    return notifier.wake([entry.submitted.id])
  }

  const queue = MemoryQueue.make(entries, retries)
  const wakeWaiting = (entries: ReadonlyArray<Entry>) =>
    notifier.wakeWaiting(entries.map(({ state: { waitsFor }, submitted: { kind } }) => ({ kind, waitsFor })))

  /** Another run of its group may begin. */
  const regrouped = ({ state: { group }, submitted: { kind } }: Entry) =>
    group === undefined ? Effect.void : notifier.wakeWaiting([{ kind, waitsFor: "group" }])

  const decisions = MemoryDecisionStore.make<Entry>({
    entryOf: ({ key, kind }) => {
      const found = Effect.runSync(queue.lookup.idempotent(kind, key))
      return Option.isSome(found) ? entries.get(found.value.id) : undefined
    },
    wake: (entry) => wakeWaiting([entry]),
    write
  })

  /** Whether the signal has come for which a run parks, or one of its questions was answered, or more was decided about it. */
  const isSignalled = (entry: Entry, { decisions: known, questions: asked, signal }: Partial<Parked> = {}): boolean => {
    if (known !== undefined) return decisions.count(entry) > known
    return asked === undefined
      ? signal !== undefined && queue.isSignalled(entry, signal)
      : questions.openOf(entry.submitted.id).length < asked
  }

  /** Applies the change, and passes the keys of a run that has ended to the next run. */
  const change = (entry: Entry, requested: Change): Effect.Effect<Change["type"], Superseded> => {
    const change = RunTransition.asRecorded(entry.state, RunTransition.truncateError(requested))
    const { at, attempt, jobId, parked, type } = change
    const next = RunTransition.next(entry.state, change, type === "job.parked" && isSignalled(entry, parked))
    if (next === undefined) return new Superseded({ jobId, attempt })
    const to = childRules.afterPark(next, change, entry.childEnds)
    if (to.status !== entry.state.status) entry.refused = undefined
    entry.state = snapshot(to)
    if (to.status !== "running") entry.runner = undefined
    const granted = isTerminal(to.status) ? queue.release(queue.keysOfEntry(entry), at) : []
    const appended = append(entry, [RunTransition.changeEvent(change)])
    ended(entry)
    const isOver = isTerminal(to.status)
    const woken = isOver ? childEnded(entry, at) : []
    const stopped = childRules.isStop(type) ? stopChildren(entry, at) : Effect.void
    const decided = isOver ? decisions.tellWaiters(entry, at) : Effect.void
    const after = [
      decided,
      wakeWaiting([entry, ...granted, ...woken]),
      stopped,
      regrouped(entry),
      ...woken.map(regrouped)
    ]
    return Effect.as(Effect.all([appended, ...after]), type)
  }

  /** Counts the end of a child, and makes its parent due if that waits for it. */
  const childEnded = ({ submitted: { parent: id } }: Entry, at: DateTime.Utc): ReadonlyArray<Entry> => {
    const parent = id === undefined ? undefined : entries.get(id)
    if (parent === undefined) return []
    parent.childEnds = (parent.childEnds ?? 0) + 1
    const to = childRules.afterChild(parent.state, at, parent.childEnds)
    if (to === undefined) return []
    parent.state = to
    return [parent]
  }

  /** Stops the children of a job that is stopped: pending ones at once, and any other by the manager of its kind. */
  const stopChildren = ({ retry, submitted: { id } }: Entry, at: DateTime.Utc): Effect.Effect<void> =>
    Effect.forEach(
      children.toStop(retry?.chain ?? id),
      (jobId) => {
        const child = entries.get(jobId)
        const how = child && childRules.howToStop(child.state.status)
        if (child === undefined || how === undefined) return Effect.void
        const { attempt } = child.state
        const { grace, sender } = childRules.stopOf(id)
        return how === "cancel"
          ? Effect.orDie(change(child, { type: "job.cancelled", jobId, attempt, at, sender }))
          : producers.stop({ kind: child.submitted.kind, jobId, grace, sender })
      },
      { discard: true }
    )

  /** Cancels a run that another replaces. For a running run, it records the stop intent instead, and returns the id. */
  const replace = ({ id: jobId }: Holder, at: DateTime.Utc): Effect.Effect<ReadonlyArray<JobId>, Superseded> =>
    Effect.suspend(() => {
      const entry = entries.get(jobId)
      if (entry === undefined || isTerminal(entry.state.status)) return Effect.succeed([])
      const { attempt, status, stoppingAt } = entry.state
      if (status !== "running") return Effect.as(change(entry, { type: "job.cancelled", jobId, attempt, at }), [])
      const stopping = change(entry, { type: "job.stopping", jobId, attempt, at })
      return Effect.as(stoppingAt === undefined ? Effect.asVoid(stopping) : Effect.void, [jobId])
    })

  /** The entry of a job if this is its running attempt. */
  const current = (jobId: JobId, attempt: number): Entry | undefined => {
    const entry = entries.get(jobId)
    return entry && RunTransition.acceptsEvents(entry.state, attempt) ? entry : undefined
  }

  const isCurrent = (jobId: JobId, attempt: number) => current(jobId, attempt) !== undefined
  const work = MemoryTaskProgressStore.make(isCurrent)
  const agentLimits = MemoryAgentLimitStore.make(isCurrent)
  const questions = MemoryQuestionStore.make(isCurrent, work)
  const steps = MemoryStepStore.make()
  const children = MemoryChildStore.make({
    statusOf: (id) => entries.get(id)?.state.status,
    endsOf: (id) => entries.get(id)?.childEnds ?? 0
  })

  const startChild: Service["children"]["start"] = (child) =>
    Effect.gen(function* () {
      const { attempt, jobId, run } = child
      const parent = current(jobId, attempt)
      if (parent === undefined) return yield* new Superseded({ jobId, attempt })
      const found = children.find(child)
      const submitted = childRules.toSubmit(child, found)
      const id = submitted === undefined ? (found?.id ?? run.id) : yield* producers.submit(submitted)
      const kind = submitted?.kind ?? found?.kind ?? run.kind
      const entry = entries.get(id)
      if (entry !== undefined) entry.submitted = { ...entry.submitted, parent: jobId }
      children.put(child, { id, kind })
      return { id, kind, status: entry?.state.status ?? ("pending" as const) }
    }).pipe(Effect.uninterruptible)

  const create: Service["create"] = (run) =>
    write(() =>
      Effect.gen(function* () {
        const decision = yield* admitRun(run, queue.lookup)
        if (decision._tag === "Existing") return queue.answer(decision)
        const { kind } = run
        const { retry, state } = decision
        if (state.status === "running") {
          if (kinds.hasPaused(kind)) return yield* new KindPaused({ kind })
          const full = yield* groupRefusal(run, queue.lookup)
          if (full !== undefined) return yield* full
        }
        const submitted = { ...run, config: toJson(run.config), labels: { ...run.labels } }
        const idempotencyKeys = new Map(run.idempotency && [[run.idempotency.key, run.idempotency]])
        const entry: Entry = { submitted, events: [], signals: [], idempotencyKeys, retry, state }
        entries.set(run.id, entry)
        if (retry !== undefined) retries.set(retry.of, run.id)
        if (!Option.exists(latestId, (id) => id > run.id)) latestId = Option.some(run.id)
        yield* append(entry, [RunTransition.createdEvent({ ...run, retryOf: retry?.of }, state)])
        const replaces = yield* Effect.forEach(decision.replaced, (holder) => replace(holder, run.at))
        if (state.status === "running") return { _tag: "Running" as const }
        yield* wakeWaiting([entry])
        return { _tag: "Pending" as const, replaces: replaces.flat() }
      }).pipe(Effect.catchTag("Superseded", Effect.die))
    )

  const begin: Service["begin"] = (beginning) =>
    write((): Effect.Effect<"running" | "stopping" | "waits", KindPaused | MaxJobsReached | Superseded> => {
      const { attempt, jobId, key } = beginning
      const entry = entries.get(jobId)
      if (entry !== undefined && kinds.hasPaused(entry.submitted.kind) && !RunTransition.isForStop(entry.state)) {
        return new KindPaused(entry.submitted)
      }
      const to = entry && RunTransition.begun(entry.state, beginning)
      if (entry === undefined || to === undefined) return new Superseded({ jobId, attempt })
      const before = entry.state
      const { group } = before
      const full = group && fullGroup(group, queue.groupOf(entry.submitted.kind, group), { isNew: false })
      if (full) return full
      if (key !== undefined && entry.state.key === undefined) {
        if (Option.isSome(queue.holder({ kind: entry.submitted.kind, of: "key", key }))) {
          const held = queue.keysOfEntry(entry)
          entry.state = { ...entry.state, key, waitsFor: "key" }
          // The waiting run holds no key any more, so the next run can get its other key.
          return Effect.as(wakeWaiting(queue.release(held, beginning.at)), "waits")
        }
      }
      if (before.parked?.signal !== undefined && before.wokenBy === "signal")
        queue.useSignals(entry, before.parked.signal)
      if (beginning.submission !== undefined) entry.submitted = { ...entry.submitted, submission: beginning.submission }
      if (beginning.trace !== undefined) entry.submitted = { ...entry.submitted, trace: beginning.trace }
      entry.refused = undefined
      entry.state = to
      const begun = to.stoppingAt === undefined ? "running" : "stopping"
      const appended = append(entry, RunTransition.begunEvents(beginning, before))
      return Effect.as(Effect.zipRight(appended, regrouped(entry)), begun)
    })

  const producers = MemoryProducerStore.make({ entries, notifier, create, change, write })

  return {
    now,
    clockAhead: Effect.succeed(0),
    outsideTransaction: Effect.void,
    oldestWrite: Effect.succeed(Duration.zero),
    outbox: Option.none(),
    ...MemoryRunReads.make({
      entries,
      toRun,
      isRetried: (id) => retries.has(id),
      isHandled,
      queue,
      work,
      log,
      latestId: () => latestId,
      changes: notifier.get
    }),
    ...retention,

    create,
    begin,
    attach: (attaching) => write(() => queue.attach(attaching)),

    record: (requested) =>
      write(() => {
        const entry = entries.get(requested.jobId)
        return entry === undefined ? new Superseded(requested) : change(entry, requested)
      }),

    holder: (key) => Effect.sync(() => queue.holder(key)),
    keys: (id) => Effect.sync(() => queue.heldKeys(id)),
    ownKeys: (id) =>
      Effect.sync(() => {
        const entry = entries.get(id)
        return { key: entry?.state.key, startKey: entry?.submitted.startKey }
      }),
    idempotent: ({ key, kind }) => queue.lookup.idempotent(kind, key),
    waiting: (kind) => Effect.sync(() => notifier.waiting(kind)),
    due: (query) =>
      Effect.sync(() =>
        queue.due({ ...query, isPaused: kinds.hasPaused(query.kind) }).map((entry) => ({
          run: toRun(entry),
          stopping: false,
          crashes: entry.state.crashes
        }))
      ),
    countDue: (query) => Effect.sync(() => queue.countDue(query)),
    pending: queue.lookup.pending,
    backlog: (kind) => Effect.sync(() => queue.backlog(kind)),
    countByStatus: (kind) => Effect.sync(() => queue.countByStatus(kind)),
    nextDueAt: (kind) => Effect.sync(() => queue.nextDueAt(kind)),
    wakeDue: ({ at, kind }) =>
      write(() => {
        const woken = queue.wakeDue(kind, at)
        return Effect.as(wakeWaiting(woken), woken.length)
      }),
    wake: (jobId, by = "resume", sender) =>
      write(() => {
        const entry = entries.get(jobId)
        const to = entry && RunTransition.woken(entry.state, by, sender)
        if (entry === undefined || to === undefined) {
          return new Superseded({ jobId, attempt: entry?.state.attempt ?? 0 })
        }
        entry.state = to
        const stopped = by === "stop" ? Effect.flatMap(now, (at) => stopChildren(entry, at)) : Effect.void
        return Effect.zipRight(stopped, wakeWaiting([entry]))
      }),
    reschedule: (rescheduling) =>
      write(() =>
        Effect.gen(function* () {
          const { jobId, kind } = rescheduling
          const entry = entries.get(jobId)
          if (entry === undefined || entry.submitted.kind !== kind) return yield* new JobNotFound({ jobId })
          const { priority = 0, startAt } = entry.submitted
          const changed = yield* rescheduled(entry.state, { priority, startAt }, rescheduling)
          if (Option.isNone(changed)) return
          const { event, state, to } = changed.value
          entry.submitted = { ...entry.submitted, ...to }
          entry.state = state
          yield* append(entry, [event])
          yield* wakeWaiting([entry])
        })
      ),
    signal: (signal) =>
      write((): Effect.Effect<void, JobNotFound | JobEnded | TooManySignals> => {
        const { jobId, kind, limit, name, request } = signal
        const entry = entries.get(jobId)
        if (entry === undefined || entry.submitted.kind !== kind) return new JobNotFound({ jobId })
        const { attempt, status } = entry.state
        if (isTerminal(status)) return new JobEnded({ jobId, status })
        if (entry.signals.filter((signal) => signal.attempt === attempt).length >= limit) {
          return new TooManySignals({ jobId, limit })
        }
        if (request !== undefined && !producers.remove(request)) return Effect.void
        const to = RunTransition.isWokenBy(entry.state, name) ? RunTransition.woken(entry.state, "signal") : undefined
        entry.signals.push({ ...signal, seq: entry.events.length + 1, attempt, used: false })
        entry.state = to ?? entry.state
        const appended = append(entry, [RunTransition.signalEvent(signal)])
        return to === undefined ? appended : Effect.zipRight(appended, wakeWaiting([entry]))
      }),
    signals: ({ after, jobId, ...query }) =>
      Effect.map(Page.limit("list signals", { ...query, after }), (limit) =>
        (entries.get(jobId)?.signals ?? [])
          .filter(({ seq }) => seq > after)
          .slice(0, limit)
          .map(({ attempt, name, payload, seq, used }) => {
            const signal = { seq, attempt, name, used, ...(payload === undefined ? {} : { payload: parse(payload) }) }
            return new RecordedSignal(signal, { disableValidation: true })
          })
      ),
    latestSignal: ({ jobId, name }) =>
      Effect.sync(() => {
        const signal = entries.get(jobId)?.signals.findLast((signal) => signal.name === name)
        return Option.map(Option.fromNullable(signal), ({ payload }) =>
          payload === undefined ? undefined : parse(payload)
        )
      }),

    append: ({ attempt, events, jobId }) =>
      write(() => {
        const entry = current(jobId, attempt)
        if (entry === undefined) return new Superseded({ jobId, attempt })
        entry.state = { ...entry.state, crashes: 0 }
        return append(entry, events)
      }),

    progress: (reported) =>
      write(() => {
        const entry = current(reported.jobId, reported.attempt)
        if (entry === undefined) return new Superseded(reported)
        const recorded = recordedProgress.recorded(reported)
        entry.progress = recorded
        return Effect.succeed(recordedProgress.progressOf(recorded))
      }),

    owners: MemoryOwnerStore.make(),
    kinds,
    groups: {
      register: (settings) =>
        Effect.suspend(() => {
          queue.registerGroups(settings)
          return notifier.wakeWaiting([{ kind: settings.kind, waitsFor: "group" }])
        }),
      get: (kind, group) => Effect.sync(() => queue.groupOf(kind, group))
    },
    producers,
    schedules: MemoryScheduleStore.make({
      statusOf: (id) => entries.get(id)?.state.status,
      submit: producers.submit,
      write
    }),
    subscribers,
    cluster: MemoryClusterStore.make({ entries, kinds, queue, toRun, create, begin, write }),

    childProcesses,
    work,
    agentLimits,
    children: { ...children, start: startChild },
    decisions: decisions.store,
    steps: {
      ...steps,
      record: (step) =>
        write(() => {
          const { attempt, jobId } = step
          const entry = current(jobId, attempt)
          if (entry === undefined) return new Superseded({ jobId, attempt })
          steps.insert(step)
          entry.state = { ...entry.state, crashes: 0 }
          return append(entry, [RunTransition.stepEvent(step)])
        })
    },
    questions: {
      ...questions,
      answer: (answer) =>
        write(() =>
          Effect.gen(function* () {
            const { jobId } = answer
            const entry = entries.get(jobId)
            if (entry === undefined) return yield* new JobNotFound({ jobId })
            const { status } = entry.state
            if (isTerminal(status)) return yield* new JobEnded({ jobId, status })
            const answered = yield* answering.answered(questions.ofJob(jobId), questions.openOf(jobId), answer)
            questions.replace(jobId, answered)
            const to = RunTransition.answered(entry.state)
            entry.state = to ?? entry.state
            yield* append(entry, [answering.event(answered, answer)])
            if (to !== undefined) yield* wakeWaiting([entry])
            return answered
          })
        )
    }
  }
})
