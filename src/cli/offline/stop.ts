/**
 * What this process does with jobs itself, where no other one has the home.
 */
import { Context, type Duration, Effect, Layer } from "effect"
import * as Layers from "../../daemon/Layers.js"
import { version } from "../../http/contract/Version.js"
import { JobManager } from "../../manager/JobManager.js"
import * as JobRef from "../JobRef.js"
import * as OfflineJobs from "./OfflineJobs.js"

/** Ends a job that waits to go on. */
export const stop = (name: string, options: { readonly grace?: Duration.Duration }) =>
  Effect.gen(function* () {
    const store = yield* Layer.build(Layers.store({ what: "run", version }))
    const layer = Layer.provide(Layers.manager({ recovery: "manual" }), Layer.succeedContext(store))
    const manager = Context.get(yield* Layer.build(layer), JobManager)
    const jobs = yield* Effect.provide(OfflineJobs.managed(manager), store)
    return yield* Effect.flatMap(JobRef.find(jobs, name), (id) => manager.stop(id, options))
  }).pipe(Effect.scoped)
