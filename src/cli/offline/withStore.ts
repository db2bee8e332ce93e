/**
 * Changes records in a home that no other process holds, without a manager.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Context, Effect, Layer, Logger, LogLevel } from "effect"
import * as Configuration from "../../daemon/config/Configuration.js"
import { Home } from "../../daemon/home/Home.js"
import * as Layers from "../../daemon/layers/Layers.js"
import * as DaemonLog from "../../daemon/serve/DaemonLog.js"
import * as Sender from "../../domain/Sender.js"
import { version } from "../../http/contract/Version.js"
import { JobManager } from "../../manager/JobManager.js"
import * as RunStore from "../../store/RunStore.js"
import { forgetJob } from "../../tasks/run/forgetJob.js"
import { sender } from "../act/sender.js"
import * as OfflineJobs from "./OfflineJobs.js"

export const withStore = <A, E, R>(use: (store: RunStore.Service, jobs: OfflineJobs.Jobs) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(Layers.store({ what: "run", version }))
    const store = Context.get(context, RunStore.RunStore)
    return yield* use(store, OfflineJobs.make(store)).pipe(DaemonLog.to({}), Effect.provide(context))
  }).pipe(Effect.scoped)

/** Writes to the log of the home what no event records, as a server does. */
export const logChange = (what: string): Effect.Effect<void> =>
  Logger.withMinimumLogLevel(Sender.logChange(what, sender()), LogLevel.Info)

/** Prunes the records of the home by its configuration. */
export const prune = (store: RunStore.Service, options: RunStore.PruneOptions) =>
  Effect.gen(function* () {
    const { logs } = yield* Home
    const fs = yield* FileSystem
    const { retention = {} } = yield* Configuration.make
    const forget = (id: Parameters<RunStore.Rule["forget"]>[0]) =>
      Effect.provideService(forgetJob(logs, id), FileSystem, fs)
    yield* store.retain({ kind: JobManager.kind, retention, forget })
    return yield* store.prune(options)
  }).pipe(Effect.scoped)
