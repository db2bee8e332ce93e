/**
 * What answers the requests that a server has taken: the handlers of the contract, behind the check at each door. It is most
 * of what there is to load of a server, and to make, so a server may well listen before.
 */
import { Generator } from "@effect/platform/Etag"
import { FileSystem } from "@effect/platform/FileSystem"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import { HttpPlatform } from "@effect/platform/HttpPlatform"
import * as HttpRouter from "@effect/platform/HttpRouter"
import { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import { Path } from "@effect/platform/Path"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Cause, Context, Effect, Layer, Schema } from "effect"
import type { RequestListener } from "node:http"
import { ShuttingDown } from "../../domain/errors.js"
import type { JobManager } from "../../manager/JobManager.js"
import { isTraced } from "../../internal/Tracing.js"
import type { RunStore } from "../../store/RunStore.js"
import * as Answers from "./errorResponses.js"
import { Api } from "../contract/Api.js"
import * as Body from "./readJsonBody.js"
import { inLines } from "./decodeErrors.js"
import * as DaemonHandlers from "./DaemonHandlers.js"
import * as Docs from "./docsPage.js"
import * as Guard from "./RequestGuard.js"
import * as Handlers from "./Handlers.js"
import * as Metrics from "./Metrics.js"
import * as Streams from "./OpenStreams.js"

export class Application extends Context.Tag("charlotte/http/Application")<
  Application,
  {
    /** What takes the requests of each door. */
    readonly listeners: ReadonlyArray<RequestListener>
    /** Ends the answers that would stay open; whatever is asked for from now on is refused. */
    readonly close: Effect.Effect<void>
  }
>() {}

export interface Options extends Handlers.Options, Streams.Options {
  readonly doors: ReadonlyArray<Guard.Door>
  /** What is done when somebody asks the server to end. */
  readonly shutdown: Effect.Effect<void>
  readonly maxBody?: number
  readonly maxJobs?: number
  readonly problems?: Effect.Effect<ReadonlyArray<string>>
}

/** For people and programs that want to know what there is to ask for. */
const documents = HttpApiBuilder.Router.use((router) =>
  Effect.zipRight(
    router.get(
      "/openapi.json",
      Effect.sync(() => HttpServerResponse.unsafeJson(OpenApi.fromApi(Api)))
    ),
    router.get(
      "/docs",
      Effect.sync(() =>
        HttpServerResponse.text(Docs.page(OpenApi.fromApi(Api)), {
          contentType: "text/html; charset=utf-8",
          headers: { "content-security-policy": Docs.policy }
        })
      )
    )
  )
)

const encodeDecodeError = Schema.encodeSync(HttpApiDecodeError)

/** The builder encodes its own errors, with Effect's tree as their message, behind this. */
const readableDecodeErrors = HttpApiBuilder.middleware((app) =>
  Effect.catchAllCause(app, (cause) => {
    const error: unknown = Cause.squash(cause)
    return error instanceof HttpApiDecodeError
      ? Effect.succeed(HttpServerResponse.unsafeJson(encodeDecodeError(inLines(error.issues)), { status: 400 }))
      : Effect.failCause(cause)
  })
)

/** Without a tracer but Effect's own, a request has no span: it would be kept for nobody, and takes longer than the rest. */
const withoutSpans = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(isTraced, (traced) =>
    traced ? effect : Effect.locally(effect, HttpMiddleware.currentTracerDisabledWhen, () => true)
  )

/**
 * A path is that of one route, or of none. The router's own habit is to leave out empty parts, and then what a script sends with
 * a variable that is not set, such as `/jobs//stop`, is the path of another route.
 */
const exact = { ignoreDuplicateSlashes: false, ignoreTrailingSlash: false, caseSensitive: true }

const orFail = <E>(refusal: E | undefined): Effect.Effect<void, E> =>
  refusal === undefined ? Effect.void : Effect.fail(refusal)

const make = ({ doors, maxBody = Body.defaultMaxBody }: Options) =>
  Effect.gen(function* () {
    const api = yield* HttpRouter.withRouterConfig(HttpApiBuilder.httpApp, exact)
    const { close, hasClosed } = yield* Streams.Streams

    const open = Effect.flatMap(hasClosed, (closed) => orFail(closed ? new ShuttingDown() : undefined))

    const app = (check: Guard.Check) =>
      Effect.flatMap(HttpServerRequest, (request) => orFail(check(request) ?? Body.checkLength(request, maxBody))).pipe(
        Effect.zipRight(open),
        Effect.zipRight(api),
        Answers.always(hasClosed)
      )

    // A context of few services: each request copies it, several times. The handlers have one of their own.
    const services = yield* Effect.map(
      Effect.context<HttpRouter.HttpRouter.DefaultServices>(),
      Context.pick(FileSystem, Path, HttpPlatform, Generator)
    )
    const listeners = yield* Effect.forEach(doors, (door) => NodeHttpServer.makeHandler(app(Guard.make(door)))).pipe(
      Effect.mapInputContext((_: Context.Context<never>) => Context.add(services, Body.MaxBody, maxBody)),
      withoutSpans
    )
    return { listeners, close }
  })

/** Lives as long as requests may be under way. */
export const layer = (options: Options): Layer.Layer<Application, never, JobManager | RunStore> => {
  const { logs, maxJobs, problems = Effect.succeed([]), shutdown } = options
  return Layer.scoped(Application, make(options)).pipe(
    Layer.provide([HttpApiBuilder.api(Api), documents, readableDecodeErrors]),
    Layer.provide([Handlers.groups(Api, options), DaemonHandlers.layer]),
    Layer.provide([Layer.succeed(DaemonHandlers.Control, { logs, problems, shutdown }), Metrics.layer({ maxJobs })]),
    Layer.provide(Streams.layer(options)),
    Layer.provide([HttpApiBuilder.Router.Live, HttpApiBuilder.Middleware.layer, NodeHttpServer.layerContext]),
    // Its routes are its own: another server in the same application has another router.
    Layer.fresh
  )
}
