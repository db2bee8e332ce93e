/**
 * Interrupts each operation of a store wherever it can be interrupted: afterwards the operation is done or not, and it still works.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { JobId, Run, RunStore } from "charlotte"
import { Duration, Effect, Exit, type Layer, Option, type Scope } from "effect"
import { AgentLimit } from "../../src/domain/AgentLimit.js"
import { Question } from "../../src/domain/Question.js"
import { TurnStreak } from "../../src/domain/TurnStreak.js"
import * as Audit from "../../src/store/Audit.js"
import type { NewNode, Owner } from "../../src/store/port/RunStoreService.js"
import { closing, interruptedEverywhere, longest, type StepsOf } from "../support/interruption.js"
import { at, event, id, newRun } from "./runs.js"
import { planOf, task, unit } from "./work.js"

type Store = RunStore.RunStore["Type"]

type Part =
  | "cluster"
  | "groups"
  | "kinds"
  | "owners"
  | "producers"
  | "schedules"
  | "subscribers"
  | "childProcesses"
  | "work"
  | "agentLimits"
  | "questions"
  | "steps"
  | "children"
  | "decisions"

/** No operations of a database: constants, and what is passed on. */
type Other =
  | "clockAhead"
  | "now"
  | "outbox"
  | "outsideTransaction"
  | "asRecorded"
  | "childProcesses.spansMachines"
  | "cluster.disconnect"
  | "producers.rest"
  | "schedules.serve"
  | "schedules.served"
  | "subscribers.claim"
  | "retain"

type Operation =
  | Exclude<Exclude<keyof Store, Part> | { [P in Part]: `${P}.${keyof Store[P] & string}` }[Part], Other>
  | "outbox.insert"
  | "outbox.queue"

interface Scene {
  readonly store: Store
  /** The id and the kind of this round. */
  readonly jobId: JobId.JobId
  readonly kind: string
  /** Records a run under that id. */
  readonly created: (with_?: Partial<RunStore.NewRun>) => Effect.Effect<RunStore.Created, unknown>
  /** Inserts the run in a transaction of the application. */
  readonly inserted: Effect.Effect<unknown, unknown>
}

interface Call {
  readonly call: Effect.Effect<unknown, unknown, Scope.Scope>
  /** Whether it has had its effect. A read has none. */
  readonly isDone?: Effect.Effect<boolean, unknown>
}

const subscriber = (name: string) => ({ name, from: "start", hold: Duration.zero, at: at(1) }) as const

const subscriberOf = (store: Store, name: string) =>
  Effect.map(store.subscribers.list, (all) => all.find((one) => one.name === name))

/** Records a failure on the first event of the job. */
const registration = (kind: string) => ({ kind, name: "nightly", definition: "{}", at: at(1) })

const scheduleOf = (store: Store, kind: string) =>
  Effect.map(store.schedules.list, (all) => all.find((one) => one.kind === kind))

/** A call on a registered schedule, and whether it has had its effect. */
const onSchedule =
  (
    call: (store: Store, schedule: ReturnType<typeof registration>, scene: Scene) => Effect.Effect<unknown, unknown>,
    isDone: (found: Effect.Effect.Success<ReturnType<typeof scheduleOf>>) => boolean
  ) =>
  (scene: Scene) =>
    Effect.as(scene.store.schedules.register(registration(scene.kind)), {
      call: call(scene.store, registration(scene.kind), scene),
      isDone: Effect.map(scheduleOf(scene.store, scene.kind), isDone)
    })

const failure = ({ jobId, kind: name, store: { subscribers } }: Scene) =>
  Effect.gen(function* () {
    const { deliveries } = yield* subscribers.deliveries({ kinds: [name], after: 0, limit: 1 })
    const cursor = deliveries[0]?.event.cursor ?? 0
    yield* subscribers.failed({ name, jobId, cursor, at: at(2), error: "no" })
    return { name, cursor }
  })

/** Has failed on the first event of the job of the scene. */
const failed = (scene: Scene) =>
  scene
    .created()
    .pipe(Effect.zipRight(scene.store.subscribers.register(subscriber(scene.kind))), Effect.zipRight(failure(scene)))

/** Records the run of the scene, which completes. */
const ended = ({ created, jobId, store }: Scene) =>
  Effect.zipRight(created(), store.record({ type: "job.completed", jobId, attempt: 1, at: at(2), result: null }))

const parked = new Run.Parked({ reason: "waits", signal: "go" })
const waiting = ["interrupted", "parked", "pending"] as const
const plan = planOf(1, 1)
const [planned] = plan.tasks

/** Each operation, on a run of its own where it needs one. */
const operations: { readonly [O in Operation]: (scene: Scene) => Effect.Effect<Call, unknown> } = {
  get: read(({ store, jobId }) => store.get(jobId)),
  withWork: read(({ store, jobId }) => store.withWork(jobId)),
  submission: read(({ store, jobId }) => store.submission(jobId)),
  page: read(({ store, kind }) => store.page({ kind, q: "one" })),
  list: read(({ store }) => store.list()),
  unfinished: read(({ store, kind }) => store.unfinished({ kind, limit: 10 })),
  events: read(({ store, jobId, kind }) => store.events({ jobId, kind, after: 0, limit: 10 })),
  allEvents: read(({ store, kind }) => store.allEvents({ kind, after: 0, limit: 10 })),
  latestCursor: read(({ store }) => store.latestCursor),
  latestId: read(({ store }) => store.latestId),
  changes: read(({ store, jobId }) => Effect.flatMap(store.changes(jobId), ({ version }) => version)),
  holder: read(({ store, kind }) => store.holder({ kind, of: "key", key: "a" })),
  keys: read(({ store, jobId }) => store.keys(jobId)),
  ownKeys: read(({ store, jobId }) => store.ownKeys(jobId)),
  idempotent: read(({ store, kind }) => store.idempotent({ kind, key: "a" })),
  waiting: read(({ store, kind }) => store.waiting(kind)),
  due: read(({ store, kind }) => store.due({ kind, statuses: waiting, limit: 10 })),
  pending: read(({ store, kind }) => store.pending(kind)),
  backlog: read(({ store, kind }) => store.backlog(kind)),
  countByStatus: read(({ store, kind }) => store.countByStatus(kind)),
  nextDueAt: read(({ store, kind }) => store.nextDueAt(kind)),
  signals: read(({ store, jobId }) => store.signals({ jobId, after: 0, limit: 10 })),
  latestSignal: read(({ store, jobId }) => store.latestSignal({ jobId, name: "go" })),
  prunings: read(({ store }) => store.prunings),
  countDue: read(({ store, kind }) => store.countDue({ kind, statuses: waiting, limit: 10 })),
  oldestWrite: read(({ store }) => store.oldestWrite),
  nextExpiry: read(({ store, kind }) => store.nextExpiry(kind)),
  lifecycle: read(({ store, jobId }) => store.lifecycle(jobId)),
  "owners.get": read(({ store, kind }) => store.owners.get(kind)),
  "cluster.nodes": read(({ store, kind }) => store.cluster.nodes(kind)),
  "cluster.currentLimit": read(({ store, kind }) => store.cluster.currentLimit(kind)),
  "cluster.next": read(({ kind, store }) =>
    store.cluster.next({ kind, statuses: waiting, version: "1", shards: [1, 2, 3] })
  ),
  "cluster.held": read(({ store, kind }) => store.cluster.held(kind)),
  "cluster.heldRun": read(({ store, jobId }) => store.cluster.heldRun(jobId)),
  "cluster.refused": read(({ store, kind }) => store.cluster.refused({ kind, millis: 0 })),
  "cluster.placed": read(({ store, kind }) => store.cluster.placed({ kind, address: "127.0.0.1:1" })),
  "childProcesses.logs": read(({ store, jobId }) => store.childProcesses.logs(jobId)),
  "childProcesses.unclosed": read(({ store, jobId }) => store.childProcesses.unclosed(jobId)),
  "childProcesses.leftBy": read(({ store, kind }) => store.childProcesses.leftBy(kind)),
  "work.of": read(({ store, jobId }) => store.work.of(jobId)),
  "work.counts": read(({ store, jobId }) => store.work.counts([jobId])),
  "work.costs": read(({ store, jobId }) => store.work.costs([jobId])),
  "work.unitNames": read(({ store, jobId }) => store.work.unitNames([jobId], 3)),
  "agentLimits.get": read(({ store, kind }) => store.agentLimits.get(kind)),
  "agentLimits.streaks": read(({ store, kind }) => store.agentLimits.streaks(kind)),

  create: ({ created, ...scene }) => Effect.succeed({ call: created(), isDone: has(scene, "running") }),
  attach: ({ created, jobId, kind, store }) =>
    Effect.as(created({ key: "a" }), {
      call: store.attach({ to: { kind, of: "key", key: "a" }, idempotency: { key: "i", request: "r" } }),
      isDone: Effect.map(
        store.idempotent({ kind, key: "i" }),
        Option.exists((found) => found.id === jobId)
      )
    }),
  record: ({ created, jobId, ...scene }) =>
    Effect.as(created(), {
      call: scene.store.record({ type: "job.completed", jobId, attempt: 1, at: at(2), result: null }),
      isDone: has({ jobId, ...scene }, "completed")
    }),
  begin: ({ created, jobId, ...scene }) =>
    Effect.as(created({ isQueued: true }), {
      call: scene.store.begin({ jobId, attempt: 1, key: undefined, at: at(2) }),
      isDone: has({ jobId, ...scene }, "running")
    }),
  append: ({ created, jobId, ...scene }) =>
    Effect.as(created(), {
      call: scene.store.append({ jobId, attempt: 1, events: [event("x"), event("y")] }),
      isDone: hasEvent({ jobId, ...scene }, "y")
    }),
  wakeDue: ({ created, ...scene }) =>
    Effect.as(created({ isQueued: true, startAt: at(2) }), {
      call: scene.store.wakeDue({ kind: scene.kind, at: at(2) }),
      isDone: isDue(scene)
    }),
  wake: ({ created, jobId, ...scene }) =>
    Effect.as(
      Effect.zipRight(created(), scene.store.record({ type: "job.parked", jobId, attempt: 1, at: at(2), parked })),
      { call: scene.store.wake(jobId), isDone: isDue(scene) }
    ),
  reschedule: ({ created, jobId, kind, ...scene }) =>
    Effect.as(created({ isQueued: true }), {
      call: scene.store.reschedule({ kind, jobId, priority: 5, sender: { by: "ann" }, at: at(2) }),
      isDone: hasEvent({ jobId, kind, ...scene }, "job.rescheduled")
    }),
  signal: ({ created, jobId, kind, store }) =>
    Effect.as(created(), {
      call: store.signal({ kind, jobId, name: "go", payload: "1", limit: 100, at: at(2) }),
      isDone: Effect.map(store.latestSignal({ jobId, name: "go" }), Option.isSome)
    }),
  pin: ({ created, jobId, store }) =>
    Effect.as(created(), { call: store.pin(jobId), isDone: isPinned(store, jobId, true) }),
  unpin: ({ created, jobId, store }) =>
    Effect.as(Effect.zipRight(created(), store.pin(jobId)), {
      call: store.unpin(jobId),
      isDone: isPinned(store, jobId, false)
    }),
  prune: ({ kind, store, ...scene }) =>
    Effect.as(ended({ kind, store, ...scene }), {
      call: Effect.zipRight(
        store.retain({ kind, retention: { completed: 0 }, forget: () => Effect.void }),
        store.prune({ kind })
      ),
      isDone: Effect.map(store.get(scene.jobId), Option.isNone)
    }),
  remove: (scene) =>
    Effect.as(ended(scene), {
      call: scene.store.remove({ kind: scene.kind, jobId: scene.jobId, isPinnedToo: false, at: at(3) }),
      isDone: Effect.map(scene.store.get(scene.jobId), Option.isNone)
    }),
  deleteHidden: (scene) =>
    Effect.gen(function* () {
      const { jobId, kind, store } = scene
      yield* ended(scene)
      const hidden = yield* store.remove({ kind, jobId, isPinnedToo: false, at: at(3) })
      return {
        call: store.deleteHidden({ forget: () => Effect.void }, hidden),
        isDone: Effect.map(store.hasHidden(kind), (has) => !has)
      }
    }),
  hasHidden: read(({ store, kind }) => store.hasHidden(kind)),
  "outbox.insert": ({ inserted, ...scene }) => Effect.succeed({ call: inserted, isDone: has(scene, "pending") }),
  "outbox.queue": ({ inserted, kind, store, ...scene }) =>
    Effect.as(inserted, {
      call: store.outbox.queue(kind),
      isDone: hasEvent({ kind, store, ...scene }, "job.queued")
    }),

  "producers.waiting": read(({ store }) => store.producers.waiting),
  "producers.requests": read(({ store, kind }) => store.producers.requests(kind)),
  "producers.submitted": read(({ store, kind }) => store.producers.submitted(kind)),
  "producers.follow": read(({ store }) => store.producers.follow),
  "producers.submit": ({ jobId, kind, store }) =>
    Effect.succeed({
      call: store.producers.submit(newRun(1, { id: jobId, kind })),
      isDone: has({ jobId, store }, "pending")
    }),
  "producers.requestSignal": ({ created, jobId, kind, store }) =>
    Effect.as(created(), {
      call: store.producers.requestSignal({
        kind,
        jobId,
        name: "go",
        payload: "1",
        limit: 9,
        at: at(2)
      }),
      isDone: Effect.map(store.producers.requests(kind), (requests) => requests.length > 0)
    }),
  "producers.requestStop": ({ created, jobId, kind, store }) =>
    Effect.as(created({ isQueued: true }), {
      call: store.producers.requestStop({ kind, jobId, grace: undefined, at: at(2) }),
      isDone: has({ jobId, store }, "cancelled")
    }),
  "producers.requestResume": ({ created, jobId, kind, store }) =>
    Effect.as(created(), {
      call: store.producers.requestResume({ kind, jobId, at: at(2) }),
      isDone: Effect.map(store.producers.requests(kind), (requests) => requests.length > 0)
    }),
  "producers.settle": ({ created, jobId, kind, store }) =>
    Effect.gen(function* () {
      yield* created()
      yield* store.producers.requestStop({ kind, jobId, grace: undefined, at: at(2) })
      return {
        call: Effect.flatMap(store.producers.requests(kind), Effect.forEach(store.producers.settle)),
        isDone: Effect.map(store.producers.requests(kind), (requests) => requests.length === 0)
      }
    }),

  "groups.get": read(({ store, kind }) => store.groups.get(kind, "a")),
  "groups.register": ({ kind, store }) =>
    Effect.succeed({
      call: store.groups.register({ kind, maxPerGroup: 2, isManual: false }),
      isDone: Effect.map(store.groups.get(kind, "a"), ({ most }) => most === 2)
    }),
  "kinds.paused": read(({ store }) => store.kinds.paused),
  "kinds.recall": read(({ store, kind }) => store.kinds.recall(kind)),
  "kinds.isPaused": read(({ store, kind }) => store.kinds.isPaused(kind)),
  "kinds.pause": ({ kind, store }) =>
    Effect.succeed({ call: store.kinds.pause({ kind, at: at(2) }), isDone: store.kinds.isPaused(kind) }),
  "kinds.unpause": ({ kind, store }) =>
    Effect.as(store.kinds.pause({ kind, at: at(2) }), {
      call: store.kinds.unpause(kind),
      isDone: Effect.map(store.kinds.isPaused(kind), (isPaused) => !isPaused)
    }),
  "schedules.list": read(({ store }) => store.schedules.list),
  "schedules.register": ({ kind, store }) =>
    Effect.succeed({
      call: store.schedules.register(registration(kind)),
      isDone: Effect.map(scheduleOf(store, kind), (found) => found !== undefined)
    }),
  "schedules.tick": onSchedule(
    (store, schedule, { jobId, kind }) =>
      store.schedules.tick({ ...schedule, tick: at(2), run: { ...newRun(1), id: jobId, kind }, skipsOverlap: true }),
    (found) => found?.lastRun !== undefined
  ),
  "schedules.reset": onSchedule(
    (store, schedule) => store.schedules.reset({ ...schedule, from: schedule.at, to: at(0) }),
    (found) => found?.lastReset !== undefined
  ),
  "schedules.pause": onSchedule(
    (store, schedule) => store.schedules.pause(schedule),
    (found) => found?.pausedAt !== undefined
  ),
  "schedules.unpause": (scene) =>
    onSchedule(
      (store, schedule) => store.schedules.unpause(schedule),
      (found) => found?.pausedAt === undefined
    )(scene).pipe(Effect.tap(() => scene.store.schedules.pause(registration(scene.kind)))),
  "schedules.remove": onSchedule(
    (store, schedule) => store.schedules.remove(schedule),
    (found) => found === undefined
  ),
  "subscribers.list": read(({ store }) => store.subscribers.list),
  "subscribers.progress": read(({ kind, store }) => store.subscribers.progress({ name: kind, after: 0 })),
  "subscribers.deliveries": read(({ kind, store }) =>
    store.subscribers.deliveries({ kinds: [kind], types: ["x"], after: 0, limit: 10 })
  ),
  "subscribers.register": ({ kind, store }) =>
    Effect.succeed({
      call: store.subscribers.register(subscriber(kind)),
      isDone: Effect.map(subscriberOf(store, kind), (found) => found !== undefined)
    }),
  "subscribers.tryLock": ({ kind, store }) =>
    Effect.as(store.subscribers.register(subscriber(kind)), { call: store.subscribers.tryLock(kind) }),
  "subscribers.move": ({ kind, store }) =>
    Effect.as(store.subscribers.register(subscriber(kind)), {
      call: Effect.flatMap(Effect.flatten(store.subscribers.tryLock(kind)), ({ holder }) =>
        store.subscribers.move({ name: kind, holder, cursor: 7, at: at(2) })
      ),
      isDone: Effect.map(subscriberOf(store, kind), (found) => found?.cursor === 7)
    }),
  "subscribers.failed": (scene) =>
    Effect.as(Effect.zipRight(scene.created(), scene.store.subscribers.register(subscriber(scene.kind))), {
      call: failure(scene),
      isDone: Effect.map(subscriberOf(scene.store, scene.kind), (found) => found?.failing === 1)
    }),
  "subscribers.putAside": (scene) =>
    Effect.map(failed(scene), (event) => ({
      call: scene.store.subscribers.putAside(event),
      isDone: Effect.map(subscriberOf(scene.store, scene.kind), (found) => found?.aside === 1)
    })),
  "subscribers.settle": (scene) =>
    Effect.map(failed(scene), (event) => ({
      call: scene.store.subscribers.settle(event),
      isDone: Effect.map(subscriberOf(scene.store, scene.kind), (found) => found?.failing === 0)
    })),
  "subscribers.retry": (scene) =>
    Effect.as(Effect.flatMap(failed(scene), scene.store.subscribers.putAside), {
      call: scene.store.subscribers.retry({ name: scene.kind, at: at(3) }),
      isDone: Effect.map(subscriberOf(scene.store, scene.kind), (found) => found?.failing === 1)
    }),
  "subscribers.skipped": ({ kind, store }) =>
    Effect.as(store.subscribers.register(subscriber(kind)), {
      call: store.subscribers.skipped(kind),
      isDone: Effect.map(subscriberOf(store, kind), (found) => (found?.skipped ?? 0) > 0)
    }),
  "subscribers.closeGap": ({ kind, store }) =>
    Effect.as(store.subscribers.register(subscriber(kind)), {
      call: store.subscribers.closeGap({ name: kind, to: 7 })
    }),
  "subscribers.remove": ({ kind, store }) =>
    Effect.as(store.subscribers.register(subscriber(kind)), {
      call: store.subscribers.remove(kind),
      isDone: Effect.map(subscriberOf(store, kind), (found) => found === undefined)
    }),

  "owners.acquire": ({ kind, store }) => Effect.succeed({ call: store.owners.acquire({ kind, id: kind }) }),
  "owners.claim": ({ kind, store }) =>
    Effect.succeed({
      call: store.owners.claim(owner(kind), Option.none()),
      isDone: Effect.map(store.owners.get(kind), Option.isSome)
    }),
  "owners.release": ({ kind, store }) =>
    Effect.as(store.owners.claim(owner(kind), Option.none()), {
      call: store.owners.release(owner(kind)),
      isDone: Effect.map(store.owners.get(kind), Option.isNone)
    }),

  "cluster.join": ({ kind, store }) =>
    Effect.succeed({
      call: store.cluster.join(node(kind)),
      isDone: Effect.map(store.cluster.nodes(kind), ({ length }) => length === 1)
    }),
  "cluster.leave": ({ kind, store }) =>
    Effect.as(store.cluster.join(node(kind)), {
      call: store.cluster.leave(kind),
      isDone: Effect.map(store.cluster.nodes(kind), ({ length }) => length === 0)
    }),
  "cluster.renew": ({ kind, store }) => Effect.as(store.cluster.join(node(kind)), { call: store.cluster.renew(kind) }),
  "cluster.drain": ({ kind, store }) =>
    Effect.as(store.cluster.join(node(kind)), {
      call: store.cluster.drain(kind, true),
      isDone: Effect.map(store.cluster.nodes(kind), ([node]) => node?.isDraining === true)
    }),
  "cluster.limit": ({ kind, store }) =>
    Effect.succeed({ call: store.cluster.limit({ kind, maxJobs: 3 }), isDone: isLimit(store, kind, 3) }),
  "cluster.setLimit": ({ kind, store }) =>
    Effect.as(store.cluster.limit({ kind, maxJobs: 3 }), {
      call: store.cluster.setLimit({ kind, maxJobs: 5 }),
      isDone: isLimit(store, kind, 5)
    }),
  "cluster.admit": ({ jobId, ...scene }) =>
    Effect.as(limited(scene), {
      call: scene.store.cluster.admit(
        { ...newRun(1), kind: scene.kind },
        { candidates: [{ id: jobId, address: node(scene.kind).address, capacity: 1 }], whenFull: "refuse", waiting },
        { ...runner(scene.kind), trace: undefined }
      ),
      isDone: has({ jobId, ...scene }, "running")
    }),
  "cluster.begin": ({ created, jobId, ...scene }) =>
    Effect.as(Effect.zipRight(limited(scene), created({ isQueued: true })), {
      call: scene.store.cluster.begin({ jobId, attempt: 1, key: undefined, at: at(2) }, runner(scene.kind)),
      isDone: has({ jobId, ...scene }, "running")
    }),
  "cluster.refuse": ({ created, jobId, kind, store }) =>
    Effect.as(created({ isQueued: true }), {
      call: store.cluster.refuse("1", [{ jobId, reason: "a field is missing" }]),
      isDone: Effect.map(store.cluster.refused({ kind, millis: 0 }), ({ length }) => length === 1)
    }),
  "cluster.place": ({ created, jobId, ...scene }) =>
    Effect.as(Effect.zipRight(limited(scene), created({ isQueued: true })), {
      call: scene.store.cluster.place({ jobId, attempt: 1, key: undefined, at: at(2) }, [
        { address: node(scene.kind).address, capacity: 1 }
      ]),
      isDone: has({ jobId, ...scene }, "running")
    }),
  "cluster.take": ({ created, jobId, ...scene }) =>
    Effect.as(Effect.zipRight(limited(scene), created()), {
      call: scene.store.cluster.take({ jobId, attempt: 1 }, runner(scene.kind)),
      isDone: Effect.map(
        scene.store.cluster.heldRun(jobId),
        Option.exists((held) => Option.isSome(held.runner))
      )
    }),

  "childProcesses.open": ({ created, jobId, kind, store }) =>
    Effect.as(created(), {
      call: store.childProcesses.open(child(kind, jobId)),
      isDone: Effect.map(store.childProcesses.unclosed(jobId), ({ length }) => length === 1)
    }),
  "childProcesses.spawned": ({ created, jobId, kind, store }) =>
    Effect.as(Effect.zipRight(created(), store.childProcesses.open(child(kind, jobId))), {
      call: store.childProcesses.spawned({ cookie: kind, pid: 7, startTime: "7" }),
      isDone: Effect.map(store.childProcesses.unclosed(jobId), ([found]) => found?.pid === 7)
    }),
  "childProcesses.close": ({ created, jobId, kind, store }) =>
    Effect.as(Effect.zipRight(created(), store.childProcesses.open(child(kind, jobId))), {
      call: store.childProcesses.close({ cookie: kind, at: at(2) }),
      isDone: Effect.map(store.childProcesses.unclosed(jobId), ({ length }) => length === 0)
    }),

  "work.plan": ({ created, jobId, store }) =>
    Effect.as(created(), {
      call: store.work.plan({ jobId, attempt: 1, work: plan }),
      isDone: Effect.map(store.work.of(jobId), ({ tasks, units }) => tasks.length === 1 && units.length === 1)
    }),
  "work.unit": ({ created, jobId, store }) =>
    Effect.as(Effect.zipRight(created(), store.work.plan({ jobId, attempt: 1, work: plan })), {
      call: store.work.unit({ jobId, attempt: 1, unit: unit(planned?.unit ?? "", 0, { state: "running" }) }),
      isDone: Effect.map(store.work.of(jobId), ({ units }) => units[0]?.state === "running")
    }),
  "work.add": ({ created, jobId, store }) =>
    Effect.as(Effect.zipRight(created(), store.work.plan({ jobId, attempt: 1, work: plan })), {
      call: store.work.add({ jobId, attempt: 1, task: task(planned?.unit ?? "", 99, 99) }),
      isDone: Effect.map(store.work.of(jobId), ({ tasks }) => tasks.length === 2)
    }),
  "work.task": ({ created, jobId, store }) =>
    Effect.as(Effect.zipRight(created(), store.work.plan({ jobId, attempt: 1, work: plan })), {
      call: store.work.task({
        jobId,
        attempt: 1,
        task: task(planned?.unit ?? "", planned?.task ?? 0, 0, { state: "running" })
      }),
      isDone: Effect.map(store.work.of(jobId), ({ tasks }) => tasks[0]?.state === "running")
    }),

  "agentLimits.record": ({ created, jobId, kind, store }) =>
    Effect.as(created(), {
      call: store.agentLimits.record({ jobId, attempt: 1, limit: limitOf(kind) }),
      isDone: Effect.map(store.agentLimits.get(kind), Option.isSome)
    }),
  "agentLimits.clear": ({ created, jobId, kind, store }) =>
    Effect.as(Effect.zipRight(created(), store.agentLimits.record({ jobId, attempt: 1, limit: limitOf(kind) })), {
      call: store.agentLimits.clear({ jobId, attempt: 1, agent: kind }),
      isDone: Effect.map(store.agentLimits.get(kind), Option.isNone)
    }),
  "agentLimits.recordStreak": ({ created, jobId, kind, store }) =>
    Effect.as(created(), {
      call: store.agentLimits.recordStreak({ attempt: 1, streak: streakOf(jobId, kind) }),
      isDone: Effect.map(store.agentLimits.streaks(kind), ({ length }) => length === 1)
    }),
  "agentLimits.answered": ({ created, jobId, kind, store }) =>
    Effect.as(
      Effect.zipRight(created(), store.agentLimits.recordStreak({ attempt: 1, streak: streakOf(jobId, kind) })),
      {
        call: store.agentLimits.answered({ jobId, attempt: 1, agent: kind, unit: "a", task: 1 }),
        isDone: Effect.map(store.agentLimits.streaks(kind), ({ length }) => length === 0)
      }
    ),
  "questions.of": read(({ jobId, store }) => store.questions.of(jobId)),
  "questions.open": read(({ jobId, store }) => store.questions.open([jobId])),
  "questions.record": (scene) =>
    Effect.map(asking(scene, false), ({ jobId, store }) => ({
      call: store.questions.record(questionOf(jobId)),
      isDone: Effect.map(store.questions.of(jobId), ({ length }) => length === 1)
    })),
  "questions.answer": (scene) =>
    Effect.map(asking(scene, true), ({ jobId, store }) => ({
      call: store.questions.answer({ jobId, text: "yes", at: at(9) }),
      isDone: Effect.map(store.questions.open([jobId]), ({ size }) => size === 0)
    })),
  progress: ({ created, jobId, store }) =>
    Effect.as(created(), {
      call: store.progress({
        ...{ jobId, attempt: 1, tries: 0 },
        progress: new Run.Progress({ done: 1, total: 2 })
      }),
      isDone: Effect.map(Effect.flatten(store.get(jobId)), ({ progress }) => progress !== undefined)
    }),
  "steps.recall": read(({ jobId, store }) => store.steps.recall(jobId)),
  "children.start": ({ created, jobId, kind, store }) =>
    Effect.as(created(), {
      call: store.children.start({
        ...{ chain: jobId, jobId, attempt: 1, tries: 0, name: "a", onParentStop: "stop" },
        run: newRun(9_999, { id: JobId.make(`7${jobId.slice(1)}`), kind: `${kind}-child` })
      }),
      isDone: Effect.map(store.children.list({ chain: jobId, limit: 10 }), ({ length }) => length === 1)
    }),
  "children.recall": read(({ jobId, store }) => store.children.recall({ chain: jobId, jobId })),
  "children.list": read(({ jobId, store }) => store.children.list({ chain: jobId, limit: 10 })),
  "steps.list": read(({ jobId, store }) => store.steps.list({ chain: jobId, after: 0, limit: 10 })),
  "steps.latest": read(({ jobId, store }) => store.steps.latest({ chain: jobId, limit: 10 })),
  "steps.get": read(({ jobId, store }) => store.steps.get({ chain: jobId, name: "a" })),
  "steps.record": ({ created, jobId, store }) =>
    Effect.as(created(), {
      call: store.steps.record({
        ...{ chain: jobId, jobId, attempt: 1, tries: 0, seq: 1, name: "a", ok: true },
        ...{ value: "1", at: at(2), millis: 1, replaces: false }
      }),
      isDone: Effect.map(store.steps.recall(jobId), ({ length }) => length === 1)
    }),

  "decisions.about": read(({ jobId, kind, store }) => store.decisions.about({ kind, key: jobId })),
  "decisions.decide": ({ created, jobId, kind, store }) =>
    Effect.as(created({ idempotency: { key: jobId, request: "" } }), {
      call: store.decisions.decide({ kind, key: jobId, name: "a", value: "1", at: at(2) }),
      isDone: Effect.map(store.decisions.about({ kind, key: jobId }), ({ length }) => length === 1)
    }),
  "decisions.awaitEnd": ({ created, jobId, kind, store }) =>
    Effect.as(created({ idempotency: { key: jobId, request: "" } }), {
      call: store.decisions.awaitEnd({ kind: "parent", key: jobId, of: { kind, key: jobId }, at: at(2) })
    })
}

/** A job with one task, of which a question is recorded. */
function asking({ created, jobId, store }: Scene, isRecorded: boolean) {
  return created().pipe(
    Effect.zipRight(store.work.plan({ jobId, attempt: 1, work: plan })),
    Effect.zipRight(isRecorded ? store.questions.record(questionOf(jobId)) : Effect.void),
    Effect.as({ jobId, store })
  )
}

function questionOf(jobId: JobId.JobId) {
  const { task = 1, unit = "" } = planned ?? {}
  const question = new Question({ unit, task, seq: 1, agent: "claude", question: "Which port?", askedAt: at(1) })
  return { jobId, attempt: 1, questions: [question] }
}

function read(call: (scene: Scene) => Effect.Effect<unknown, unknown, Scope.Scope>) {
  return (scene: Scene) => Effect.as(scene.created({ key: "a" }), { call: call(scene) })
}

function has({ jobId, store }: Pick<Scene, "jobId" | "store">, status: string) {
  return Effect.map(
    store.get(jobId),
    Option.exists((run) => run.status === status)
  )
}

function hasEvent({ jobId, kind, store }: Pick<Scene, "jobId" | "kind" | "store">, type: string) {
  return Effect.map(
    store.events({ jobId, kind, after: 0, limit: 100 }),
    Option.exists(({ events }) => events.some((event) => event.type === type))
  )
}

function isDue({ kind, store }: Pick<Scene, "kind" | "store">) {
  return Effect.map(store.due({ kind, statuses: waiting, limit: 10 }), ({ length }) => length === 1)
}

function isPinned(store: Store, jobId: JobId.JobId, wanted: boolean) {
  return Effect.map(
    store.get(jobId),
    Option.exists(({ pinned = false }) => pinned === wanted)
  )
}

function isLimit(store: Store, kind: string, maxJobs: number) {
  return Effect.map(store.cluster.currentLimit(kind), Option.contains(maxJobs))
}

function owner(kind: string): Owner {
  return { kind, id: kind, process: { pid: 1, bootId: "a boot", startTime: "1", pidNamespace: "" } }
}

function node(kind: string): NewNode {
  return { id: kind, kind, address: "127.0.0.1:1", pid: 1, machine: "a machine", capacity: 2 }
}

function runner(kind: string) {
  return { node: kind, address: node(kind).address, capacity: 2 }
}

function limited({ kind, store }: Pick<Scene, "kind" | "store">) {
  return Effect.zipRight(store.cluster.join(node(kind)), store.cluster.limit({ kind, maxJobs: 3 }))
}

function child(cookie: string, jobId: JobId.JobId) {
  return { cookie, jobId, attempt: 1, bootId: "a boot", machine: "a machine", purpose: "agent", at: at(1) }
}

function limitOf(agent: string) {
  return new AgentLimit({ agent, reason: "no", since: at(9), until: at(100), refusals: 0 })
}

function streakOf(jobId: JobId.JobId, agent: string) {
  const task = { jobId, agent, unit: "a", task: 1 }
  return new TurnStreak({
    ...task,
    kind: "unanswered",
    turns: 1,
    wording: "x",
    reason: "no",
    at: at(2),
    answeredSince: false
  })
}

/** More than any operation has, so that each round has an id and a kind for itself where all share a database. */
const maxSteps = 10_000

const sceneOf = (n: number): Effect.Effect<Scene, never, RunStore.RunStore | SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    const sql = yield* SqlClient.SqlClient
    const kind = `kind-${n}`
    const run = (with_: Partial<RunStore.NewRun> = {}) => newRun(n, { kind, labels: { word: "one" }, ...with_ })
    return {
      store,
      kind,
      jobId: id(n),
      created: (with_) => store.create(run(with_)),
      inserted: sql.withTransaction(store.outbox.insert(run()))
    }
  })

const intact = Effect.map(Audit.run(), ({ violations }) => expect(violations).toEqual([]))

/** The layer opens a store for each operation; it may be the same one. */
export const interruptions = (layer: Layer.Layer<RunStore.RunStore | SqlClient.SqlClient>, steps: StepsOf): void => {
  describe("an operation that is interrupted is done or not, and leaves the store as usable as before:", () => {
    for (const [n, [name, operation]] of Object.entries(operations).entries()) {
      it.live(
        name,
        () =>
          interruptedEverywhere(steps(n), (k) =>
            Effect.gen(function* () {
              const { call, isDone = Effect.succeed(true) } = yield* Effect.flatMap(
                sceneOf(maxSteps * n + k + 1),
                operation
              )
              return {
                call: Effect.scoped(call),
                check: (exit) =>
                  Effect.gen(function* () {
                    const wasDone = yield* isDone
                    if (Exit.isSuccess(exit)) expect(wasDone).toBe(true)
                    // What was done already may be refused.
                    const again = yield* Effect.exit(Effect.scoped(call))
                    if (!wasDone) expect(again).toMatchObject({ _tag: "Success" })
                    expect(yield* isDone).toBe(true)
                  })
              }
            })
          ).pipe(Effect.zipLeft(intact), closing(layer)),
        longest
      )
    }
  })
}
