/**
 * Stops a job in a home that no other process holds.
 */
import { Context, type Duration, Effect, Layer } from "effect"
import * as Layers from "../../daemon/Layers.js"
import { version } from "../../http/contract/Version.js"
import { JobManager } from "../../manager/JobManager.js"
import * as JobRef from "../JobRef.js"
import * as OfflineJobs from "./OfflineJobs.js"

/** Cancels a job that is interrupted or pending. */
export const stop = (name: string, options: { readonly grace?: Duration.Duration }) =>
  Effect.gen(function* () {
    const store = yield* Layer.build(Layers.store({ what: "run", version }))
    const layer = Layer.provide(Layers.manager({ recovery: "manual" }), Layer.succeedContext(store))
    const manager = Context.get(yield* Layer.build(layer), JobManager)
    const jobs = yield* Effect.provide(OfflineJobs.managed(manager), store)
    return yield* Effect.flatMap(JobRef.find(jobs, name), (id) => manager.stop(id, options))
  }).pipe(Effect.scoped)
