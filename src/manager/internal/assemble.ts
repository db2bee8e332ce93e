/**
 * Puts a manager together from its parts, on one machine or as a node of a cluster.
 */
import { Duration, Effect, Option, Ref, Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import * as Sender from "../../domain/Sender.js"
import { typedStart } from "../../domain/StartOptions.js"
import { notableDifference } from "../../internal/clockDifference.js"
import * as background from "../../internal/background.js"
import type { Service } from "../JobManagerService.js"
import type { ManagedJob } from "../ManagedJob.js"
import { awaitEnd } from "./awaitEnd.js"
import { type Resume, resumeJob } from "./beginRun.js"
import { closeJobs } from "./closeJobs.js"
import { wholeNumber } from "./Core.js"
import * as Dispatcher from "./dispatcher.js"
import * as JobRegistry from "./JobRegistry.js"
import { type Limit, limitJobs } from "./limitJobs.js"
import * as outboxQueue from "./outboxQueue.js"
import { pauseKind, unpauseKind } from "./pauseKind.js"
import { defaultMaxJobs, type MakeOptions, type Parts } from "./parts.js"
import { type Removal, removeJob, removeMany } from "./removeJob.js"
import { rescheduleJob } from "./rescheduleJob.js"
import * as requests from "./requests.js"
import { keepRetention } from "./retention.js"
import { retryJob, retryMany, type Retrying } from "./retryJob.js"
import { signalJob } from "./signals.js"
import { createQueued, idOf, type Refusal, startInTransaction } from "./startJob.js"
import { startMany } from "./startMany.js"
import { stopAll } from "./stopAll.js"
import { stopJob } from "./stopJob.js"
import type { Starting, Submitted } from "./submission.js"

/** Operations on a job by its id. */
interface Operations {
  readonly events: (id: JobId, options?: { readonly after?: number }) => ReturnType<ManagedJob<unknown>["events"]>
  readonly stop: (
    id: JobId,
    options?: Parameters<ManagedJob<unknown>["stop"]>[0]
  ) => ReturnType<ManagedJob<unknown>["stop"]>
  readonly await: (id: JobId) => ManagedJob<unknown>["await"]
}

/** What is different on one machine and in a cluster. */
interface Mode<C> {
  /** Begins a run that waits for a permit. */
  readonly begin: Dispatcher.Begin
  /** Begins an interrupted run that a caller resumes. */
  readonly resume: Resume
  readonly start: (starting: Starting<C>, submitted: Submitted) => Effect.Effect<JobId, Refusal>
  /** Tells the node of a job that it was resumed, or has a new signal. */
  readonly wake: (id: JobId) => Effect.Effect<void>
  readonly limit: Limit
  /** The ids of all active jobs. */
  readonly ids: Effect.Effect<ReadonlyArray<JobId>>
  /** An active job that this manager does not run. */
  readonly elsewhere: (id: JobId, operations: Operations) => Effect.Effect<Option.Option<ManagedJob<C>>>
  /** Takes jobs that begin without this manager's dispatcher. */
  readonly join: Effect.Effect<void, never, Scope.Scope>
  /** Called before the jobs of a closing manager are interrupted. */
  readonly leave: Effect.Effect<void>
}

export const assemble = <C, I, RS, R, R2>(
  options: MakeOptions<C, I, RS, R, R2>,
  { admission, continued, core, forget, nextId, subscriptions }: Parts<C, RS | Exclude<R, Scope.Scope> | R2>,
  mode: Mode<C>
): Effect.Effect<Service<C, I>, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const { group, key, kind, labels = () => ({}), maxPerGroup, maxQueued = 10_000, recovery, retries } = options
    const { store } = core
    const ids = yield* nextId
    const queueInserted = yield* outboxQueue.make(kind, store.outbox)
    yield* store.kinds.recall(kind)
    // Without a retention, too, runs that were being removed when a process died are deleted.
    const { retention = (yield* store.hasHidden(kind)) ? {} : undefined } = options
    if (maxPerGroup !== undefined) {
      yield* wholeNumber("maxPerGroup", maxPerGroup)
      if (group === undefined) {
        return yield* Effect.dieMessage(`maxPerGroup limits groups, and kind ${kind} has none: define its group`)
      }
    }
    yield* store.groups.register({ kind, maxPerGroup, isManual: recovery === "manual" })
    const dispatcher = yield* Dispatcher.make(core, mode.begin, continued)
    const starting = { admission, dispatcher, nextId: ids, labels, key, group, maxQueued, retries }

    const retrying: Retrying<C> = {
      ...core,
      record: (run, checked) => Effect.map(createQueued(core, run, checked), (created) => idOf(created, run.id))
    }

    const scope = yield* Effect.scope
    const removal: Removal<C> = {
      core,
      forget,
      fork: (deletion) => Scope.extend(background.fork(deletion), scope)
    }

    const stopAllBy = (by: string | undefined) =>
      Sender.withCurrent(by, (sender) => stopAll(core, continued, sender, dispatcher))
    const resume = (id: JobId, sender: Sender.Sender | undefined) =>
      Effect.zipLeft(resumeJob(core, id, sender, mode.resume), mode.wake(id))

    const service: Service<C, I> = {
      start: typedStart((input, options) =>
        store.outbox.byTransaction({
          inside: Effect.zipRight(core.shutdown.refuse, startInTransaction(core, starting, { input, options })),
          outside: mode.start(starting, { input, options })
        })
      ),
      startMany: (configs, options) => {
        const outside = startMany(core, starting, configs, options)
        return store.outbox.byTransaction({ inside: outside, outside })
      },
      retry: (id, options) => {
        const outside = retryJob(retrying, starting, id, options)
        return store.outbox.byTransaction({ inside: outside, outside })
      },
      retryMany: (query) => retryMany(retrying, starting, query),
      resume: (id, { by } = {}) => Sender.withCurrent(by, (sender) => resume(id, sender)),
      remove: (id, options) => removeJob(removal, id, options),
      removeMany: (query) => removeMany(removal, query),
      reschedule: (id, options) => Effect.zipLeft(rescheduleJob(core, id, options), mode.wake(id)),
      limit: (limit, { by } = {}) =>
        limitJobs(core, mode.limit, limit === "default" ? (options.maxJobs ?? defaultMaxJobs) : limit, by),
      maxJobs: mode.limit.get,
      pause: ({ by } = {}) => pauseKind(core, by),
      unpause: ({ by } = {}) => unpauseKind(core, by),
      stop: (id, { by, grace = core.stopGrace } = {}) =>
        Sender.withCurrent(by, (sender) => stopJob(core, id, { grace: Duration.decode(grace), sender })),
      stopAll: stopAllBy(undefined),
      stopAllBy,
      signal: (jobId, name, payload, { by, isReserved } = {}) =>
        Effect.zipLeft(signalJob(core, options.signals, { jobId, name, payload, by, isReserved }), mode.wake(jobId)),
      get: (id) =>
        Effect.flatMap(JobRegistry.find(core.jobs, id), (found) =>
          Option.isSome(found) && JobRegistry.isActive(found.value)
            ? Effect.asSome(managedJob(found.value, service))
            : mode.elsewhere(id, service)
        ),
      list: mode.ids,
      activeCount: Effect.map(mode.ids, (ids) => ids.length),
      await: (id) => awaitEnd(core, id),
      events: (id, { after = 0 } = {}) => subscriptions.ofJob(id, after),
      allEvents: ({ after = 0 } = {}) => subscriptions.ofAll(after),
      health: Effect.gen(function* () {
        const overdue = yield* JobRegistry.overdue(core.jobs)
        const clockAhead = yield* store.clockAhead
        return {
          ...(yield* core.persistRetry.health),
          ...(overdue.length > 0 && { overdue }),
          ...(Math.abs(clockAhead) > notableDifference && { clockAhead })
        }
      })
    }

    yield* mode.join
    if (options.dispatch !== false) yield* background.fork(dispatcher.run)
    yield* background.fork(dispatcher.keepTime)
    yield* background.fork(queueInserted)
    if (options.hasProducers === true) yield* background.fork(yield* requests.make(core, { resume, wake: mode.wake }))
    if (retention !== undefined) yield* keepRetention(core, retention, forget)
    // This finalizer is added last, so it runs first: the jobs end before anything that they use.
    yield* Effect.addFinalizer(() => Effect.zipRight(mode.leave, closeJobs(core)))
    return service
  })

/** An active job as applications see it. */
const managedJob = <Config>(
  active: JobRegistry.Admitted<Config>,
  operations: Operations
): Effect.Effect<ManagedJob<Config>> =>
  Effect.map(Ref.get(active.job.record), ({ attempt, createdAt, id, startedAt = createdAt }) => ({
    id,
    config: active.job.config,
    attempt,
    startedAt,
    phase: JobRegistry.phaseOf(active),
    events: (options) => operations.events(id, options),
    stop: (options) => operations.stop(id, options),
    await: operations.await(id)
  }))
