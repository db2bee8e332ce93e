/**
 * Changes records in a home that no other process holds.
 */
import { Context, Effect, Layer } from "effect"
import * as Layers from "../../daemon/layers/Layers.js"
import { version } from "../../http/contract/Version.js"
import { JobManager } from "../../manager/JobManager.js"
import * as RunStore from "../../store/RunStore.js"
import * as OfflineJobs from "./OfflineJobs.js"

/**
 * Uses a manager that does not start waiting jobs, which would be interrupted when this process exits, and prunes nothing. With
 * automatic recovery, `stopAll` cancels interrupted jobs, too.
 */
export const withManager = <A, E, R>(
  use: (manager: JobManager["Type"], jobs: OfflineJobs.Manager, store: RunStore.Service) => Effect.Effect<A, E, R>,
  recovery: "automatic" | "manual" = "manual"
) =>
  Effect.gen(function* () {
    const store = yield* Layer.build(Layers.store({ what: "run", version }))
    const options = { recovery, dispatch: false, retention: {} } as const
    const layer = Layer.provide(Layers.manager(options), Layer.succeedContext(store))
    const manager = Context.get(yield* Layer.build(layer), JobManager)
    const jobs = yield* Effect.provide(OfflineJobs.managed(manager), store)
    return yield* use(manager, jobs, Context.get(store, RunStore.RunStore))
  }).pipe(Effect.scoped)
