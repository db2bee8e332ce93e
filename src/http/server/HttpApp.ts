/**
 * The HTTP application: handlers of the contract behind the request guard of each address. It takes most of the server's load time,
 * so `Server` starts to listen first and imports it later.
 */
import { Generator } from "@effect/platform/Etag"
import { FileSystem } from "@effect/platform/FileSystem"
import type * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import { HttpPlatform } from "@effect/platform/HttpPlatform"
import type * as HttpRouter from "@effect/platform/HttpRouter"
import { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import { Path } from "@effect/platform/Path"
import * as Headers from "@effect/platform/Headers"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Layer } from "effect"
import type { RequestListener } from "node:http"
import { ShuttingDown } from "../../domain/errors.js"
import { Via } from "../../domain/Sender.js"
import { isTraced } from "../../internal/Tracing.js"
import { pageSecurityPolicy, withErrorResponses } from "./errorResponses.js"
import type { Api } from "../contract/Api.js"
import { docsPath, openApiPath } from "../contract/Daemon.js"
import { checkContentLength, defaultMaxBody, limits } from "./readJsonBody.js"
import * as apiRouter from "./apiRouter.js"
import * as DaemonHandlers from "./DaemonHandlers.js"
import { contentSecurityPolicy, docsPage } from "./docsPage.js"
import type { Extension } from "./Extension.js"
import type { Managers } from "./Managers.js"
import type * as Page from "./page/Page.js"
import * as pageFiles from "./page/pageFiles.js"
import * as SessionHandlers from "./SessionHandlers.js"
import * as SystemHandlers from "./SystemHandlers.js"
import { viaOf } from "./viaOf.js"
import * as RequestGuard from "./RequestGuard.js"
import * as Handlers from "./Handlers.js"
import { managers, type Requirements } from "./KindHandlers.js"
import * as followEvents from "./followEvents.js"
import * as Metrics from "./Metrics.js"
import * as OpenStreams from "./OpenStreams.js"

export class Application extends Context.Tag("charlotte/http/Application")<
  Application,
  {
    /** Handles the requests to an address, under its access policy. */
    readonly listener: (policy: RequestGuard.AccessPolicy) => Effect.Effect<RequestListener>
    /** Ends open streams and refuses further requests. */
    readonly close: Effect.Effect<void>
  }
>() {}

export interface Options
  extends Handlers.Options, OpenStreams.Options, DaemonHandlers.Options, SystemHandlers.Options, Metrics.Options {
  readonly page?: Page.Service | undefined
  readonly maxBody?: number
  readonly after?: number
}

/** Rendered once, when first requested: rendering is slow, and any process on this machine may request them. */
const documents = (api: ServedApi) =>
  HttpApiBuilder.Router.use((router) =>
    Effect.gen(function* () {
      const openApi = yield* Effect.cached(Effect.sync(() => HttpServerResponse.unsafeJson(OpenApi.fromApi(api))))
      const docs = yield* Effect.cached(
        Effect.sync(() =>
          HttpServerResponse.text(docsPage(OpenApi.fromApi(api)), {
            contentType: "text/html; charset=utf-8",
            headers: { "content-security-policy": contentSecurityPolicy }
          })
        )
      )
      yield* router.get(openApiPath, openApi)
      yield* router.get(docsPath, docs)
    })
  )

/**
 * Only requests to the API have a span, and only with a tracer: without one it would be discarded, and costs more than the rest
 * of the request. Probes and pages would only be noise.
 */
const withSpans = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(isTraced, (traced) =>
    effect.pipe(
      Effect.locally(HttpMiddleware.currentTracerDisabledWhen, ({ url }) => !traced || !url.startsWith("/api/")),
      Effect.locallyWith(Headers.currentRedactedNames, (names) => [...names, "idempotency-key"])
    )
  )

const orFail = <E>(refusal: E | undefined): Effect.Effect<void, E> =>
  refusal === undefined ? Effect.void : Effect.fail(refusal)

const make = ({ page, maxBody = defaultMaxBody }: Options) =>
  Effect.gen(function* () {
    const api = yield* apiRouter.app
    const { close, hasClosed } = yield* OpenStreams.OpenStreams

    const open = Effect.flatMap(hasClosed, (closed) => orFail(closed ? new ShuttingDown() : undefined))

    const app = (check: RequestGuard.Check) =>
      Effect.flatMap(HttpServerRequest, (request) =>
        orFail(check(request) ?? checkContentLength(request, maxBody)).pipe(
          Effect.zipRight(open),
          Effect.zipRight(Effect.provideService(api, Via, viaOf(request)))
        )
      ).pipe(withErrorResponses(hasClosed, page && pageSecurityPolicy))

    // A context with few services, because each request copies it several times.
    const services = yield* Effect.map(
      Effect.context<HttpRouter.HttpRouter.DefaultServices>(),
      Context.pick(FileSystem, Path, HttpPlatform, Generator)
    )
    const listener = (policy: RequestGuard.AccessPolicy) =>
      NodeHttpServer.makeHandler(app(RequestGuard.make(policy))).pipe(
        Effect.mapInputContext((_: Context.Context<never>) => Context.merge(services, limits(maxBody))),
        withSpans
      )
    return { listener, close }
  })

/** `Api`, or the API of some kinds, whose handlers are looked up by group name. */
type ServedApi = typeof Api

/** The jobs to serve. */
export interface Served<Groups extends HttpApiGroup.HttpApiGroup.Any, E> {
  /** The API to serve, from `JobsApi.make`; by default, the API for the jobs of `JobManager`. */
  readonly api?: HttpApi.HttpApi<"charlotte", Groups, E>
}

/** What a server has for these jobs. */
export interface Parts {
  /** The whole API, with the endpoints of the daemon. */
  readonly apiOf: <Groups extends HttpApiGroup.HttpApiGroup.Any, E>(
    jobs: HttpApi.HttpApi<"charlotte", Groups, E> | undefined
  ) => HttpApi.HttpApi.Any
  readonly extension: Layer.Layer<Extension, never, Managers>
}

/** Must outlive the requests in flight. */
export const layer = <Groups extends HttpApiGroup.HttpApiGroup.Any = never, E = never>(
  options: Options & Served<Groups, E> & Parts
): Layer.Layer<Application, never, Requirements<Groups>> => {
  const { page } = options
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the groups are looked up by name
  const api = options.apiOf(options.api) as unknown as ServedApi
  return Layer.scoped(Application, make(options)).pipe(
    Layer.provide([HttpApiBuilder.api(api), documents(api), apiRouter.readableDecodeErrors]),
    Layer.provide([Handlers.groups(api, options), SessionHandlers.layer(page)]),
    Layer.provide([DaemonHandlers.layer(options), SystemHandlers.layer(options)]),
    Layer.provide(page === undefined ? Layer.empty : pageFiles.layer(page.files)),
    Layer.provide([Metrics.layer(options), followEvents.layer(options)]),
    Layer.provide(options.extension),
    Layer.provide([OpenStreams.layer(options), managers<Groups>(api, options)]),
    Layer.provide([HttpApiBuilder.Router.Live, HttpApiBuilder.Middleware.layer, NodeHttpServer.layerContext]),
    // Not shared: another server in the same application has another router.
    Layer.fresh
  )
}
