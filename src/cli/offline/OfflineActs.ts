/**
 * Acts on the jobs in the database of a home that no other process holds, as the client of a server does.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Context, Effect, Layer, Logger, LogLevel, type Scope, Stream } from "effect"
import * as Configuration from "../../daemon/config/Configuration.js"
import { Home } from "../../daemon/home/Home.js"
import * as Layers from "../../daemon/layers/Layers.js"
import * as DaemonLog from "../../daemon/serve/DaemonLog.js"
import type { JobId } from "../../domain/JobId.js"
import { withNext } from "../../domain/Schedule.js"
import * as Sender from "../../domain/Sender.js"
import { NoSuchKind } from "../../http/contract/errors.js"
import { version } from "../../http/contract/Version.js"
import type { Decision } from "../../http/server/Extension.js"
import { now } from "../../internal/now.js"
import { JobManager } from "../../manager/JobManager.js"
import * as RunStore from "../../store/RunStore.js"
import { decide } from "../../tasks/http/decide.js"
import { forgetJob } from "../../tasks/run/forgetJob.js"
import type { Acts, Failure } from "../act/Acts.js"
import { sender } from "../act/sender.js"
import * as OfflineJobs from "./OfflineJobs.js"

const { kind: tasks } = JobManager

/** There is a manager of this kind only. */
const ensureTasks = (kind: string): Effect.Effect<void, NoSuchKind> =>
  kind === tasks ? Effect.void : new NoSuchKind({ kind, kinds: [tasks] })

/** Prunes the records of the home by its configuration. */
export const prune = (store: RunStore.Service, options: RunStore.PruneOptions) =>
  Effect.gen(function* () {
    const { logs } = yield* Home
    const fs = yield* FileSystem
    const { retention = {} } = yield* Configuration.make
    const forget = (id: JobId) => Effect.provideService(forgetJob(logs, id), FileSystem, fs)
    yield* store.retain({ kind: tasks, retention, forget })
    return yield* store.prune(options)
  }).pipe(Effect.scoped)

type Environment = FileSystem | Path | Scope.Scope

export const make: Effect.Effect<Acts, Failure, Environment> = Effect.gen(function* () {
  const opened = yield* Layer.build(Layers.store({ what: "run", version }))
  const store = Context.get(opened, RunStore.RunStore)
  const context = Context.merge(yield* Effect.context<Environment>(), opened)

  /** It begins no waiting jobs, which would be interrupted when this process exits, and prunes nothing. */
  const managerWith = (recovery: "automatic" | "manual") =>
    Effect.map(
      Effect.provide(Layer.build(Layers.manager({ recovery, dispatch: false, retention: {} })), context),
      Context.get(JobManager)
    )
  const manager = yield* Effect.cached(managerWith("manual"))

  /** Writes to the log of the home what no event records, as a server does. */
  const logged = <A, E>(change: Effect.Effect<A, E>, what: (done: A) => string): Effect.Effect<A, E> =>
    Effect.tap(change, (done) =>
      Logger.withMinimumLogLevel(Sender.logChange(what(done), sender()), LogLevel.Info)
    ).pipe(DaemonLog.to({}), Effect.provide(context))

  const decided = (id: JobId, decision: Decision) =>
    Effect.flatMap(manager, ({ signal }) =>
      decide(store, (name, payload, options) => signal(id, name, payload, options), id, decision)
    )

  return {
    ...OfflineJobs.make(store),
    isHosted: false,
    stop: (id, options) => Effect.flatMap(manager, ({ stop }) => stop(id, options)),
    // Interrupted jobs are cancelled, too, only under automatic recovery.
    stopAllBy: (by) => Effect.flatMap(managerWith("automatic"), ({ stopAllBy }) => stopAllBy(by)),
    signal: (id, name, payload, options) => Effect.flatMap(manager, ({ signal }) => signal(id, name, payload, options)),
    reschedule: (id, options) => Effect.flatMap(manager, ({ reschedule }) => reschedule(id, options)),
    retry: (id, options) => Effect.flatMap(manager, ({ retry }) => retry(id, options)),
    retryMany: ({ kind, ...query }) =>
      Stream.unwrap(
        Effect.zipRight(
          ensureTasks(kind),
          Effect.map(manager, ({ retryMany }) => retryMany(query))
        )
      ),
    remove: (id, options) =>
      logged(
        Effect.flatMap(manager, ({ remove }) => remove(id, options)),
        () => `job ${id} is removed`
      ),
    removeMany: ({ kind, ...query }) =>
      Stream.unwrap(
        Effect.zipRight(
          ensureTasks(kind),
          Effect.map(manager, ({ removeMany }) => removeMany(query))
        )
      ),
    pause: (kind, options) =>
      Effect.zipRight(
        ensureTasks(kind),
        Effect.flatMap(manager, ({ pause }) => pause(options))
      ),
    unpause: (kind, options) =>
      Effect.zipRight(
        ensureTasks(kind),
        Effect.flatMap(manager, ({ unpause }) => unpause(options))
      ),
    approve: decided,
    reject: decided,
    answer: (jobId, answer) => Effect.flatMap(now, (at) => store.questions.answer({ ...answer, jobId, at })),
    pin: (id) => logged(store.pin(id), () => `job ${id} is pinned`),
    unpin: (id) => logged(store.unpin(id), () => `job ${id} is no longer pinned`),
    prune: (options = {}) =>
      logged(
        Effect.provide(prune(store, options), context),
        (pruned) => `finished jobs are pruned: ${pruned.reduce((sum, { runs }) => sum + runs, 0)}`
      ),
    subscribers: store.subscribers.list,
    retrySubscriber: (name) => Effect.flatMap(now, (at) => store.subscribers.retry({ name, at })),
    removeSubscriber: (name) => logged(store.subscribers.remove(name), () => `subscriber "${name}" is removed`),
    schedules: Effect.flatMap(now, (at) =>
      Effect.map(store.schedules.list, (all) => all.map((found) => withNext(found, at)))
    ),
    pauseSchedule: (kind, name, { by } = {}) =>
      Effect.flatMap(now, (at) =>
        logged(store.schedules.pause({ kind, name, at, by }), () => `schedule "${name}" is paused`)
      ),
    unpauseSchedule: (kind, name) =>
      Effect.flatMap(now, (at) =>
        logged(store.schedules.unpause({ kind, name, at }), () => `schedule "${name}" is unpaused`)
      ),
    removeSchedule: (kind, name) =>
      logged(store.schedules.remove({ kind, name }), () => `schedule "${name}" is removed`)
  }
})
