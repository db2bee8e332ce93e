/**
 * An HTTP server for the jobs of a manager, on one or more addresses.
 *
 * @since 0.1.0
 */
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import { Context, Effect, Layer } from "effect"
import type { Served } from "../../http/server/HttpApp.js"
import type { Requirements } from "../../http/server/KindHandlers.js"
import * as temporaryPage from "../../http/server/page/temporary.js"
import type { ListenError } from "../../http/server/ListenError.js"
import * as Generic from "../../http/server/Server.js"

export * from "../../http/server/Server.js"

/**
 * As `layer`, but loads the HTTP application with the first request, or when `prepared` runs.
 *
 * @internal
 */
export const listen = <Groups extends HttpApiGroup.HttpApiGroup.Any = never, E = never>(
  options: Generic.ListenOptions & Served<Groups, E>
): Layer.Layer<Generic.Server, ListenError, Requirements<Groups>> =>
  Generic.listen(
    options,
    Effect.promise(() => import("./parts.js"))
  )

/**
 * Serves the jobs of a manager, or of the kinds of an `api`, for as long as the layer lives. Fails with `ListenError` when it cannot
 * listen. When the layer closes, the server accepts no more requests, ends event streams, and waits up to `drain` for other requests.
 *
 * @since 0.2.0
 * @category layers
 * @example
 * import { JobManager, Orchestrator, RunStore } from "charlotte"
 * import { JobClient, Server } from "charlotte/http"
 * import { Effect, Layer } from "effect"
 * import { mkdtempSync } from "node:fs"
 *
 * const socket = `${mkdtempSync("/tmp/charlotte-")}/socket`
 * const Jobs = JobManager.layer().pipe(
 *   Layer.provide(Orchestrator.layer(() => Effect.succeed("done"))),
 *   Layer.provideMerge(RunStore.layerMemory)
 * )
 * const ServerLive = Server.layer({ listen: { socket } }).pipe(Layer.provide(Jobs))
 *
 * const program = Effect.flatMap(JobClient.JobClient, (client) => client.health)
 *
 * await Effect.runPromise(program.pipe(Effect.provide(JobClient.layer({ socket })), Effect.provide(ServerLive)))
 */
export const layer = <Groups extends HttpApiGroup.HttpApiGroup.Any = never, E = never>({
  page = false,
  ...options
}: Generic.Options & Served<Groups, E>): Layer.Layer<Generic.Server, ListenError, Requirements<Groups>> =>
  Layer.unwrapScoped(
    Effect.map(page ? temporaryPage.make() : Effect.succeed(undefined), (page) =>
      Layer.tap(listen<Groups, E>({ ...options, page }), (context) => Context.get(context, Generic.Server).prepared)
    )
  )
