/**
 * The page of some kinds of job below a path of an application's own router, behind the application's own login.
 *
 * @since 0.2.0
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Either, Layer, Option, Schema, Scope, Stream } from "effect"
import { Via } from "../../../domain/Sender.js"
import type * as JobKind from "../../../manager/JobKind.js"
import { RunStore } from "../../../store/RunStore.js"
import { NoSuchRoute, RequestRefused } from "../../contract/errors.js"
import type { AnyManager } from "../../contract/Kinds.js"
import { ofPage } from "../errorResponses.js"
import * as Managers from "../Managers.js"
import * as pageFiles from "../page/pageFiles.js"
import { pageDirectory } from "../page/pageDirectory.js"
import { checkContentLength, defaultMaxBody, limits } from "../readJsonBody.js"
import { acts } from "../RequestGuard.js"
import { type Acting, type AnyProducer, ofProducer } from "./acting.js"
import * as api from "./api.js"
import * as checks from "./checks.js"
import * as document from "./document.js"
import { CurrentVisitor, isSame, type Visitor, type Who } from "./Visitor.js"

export type { AnyProducer } from "./acting.js"
export type { Who } from "./Visitor.js"

/**
 * A kind of job: a class that `JobKind.Tag` makes.
 *
 * @since 0.2.0
 * @category models
 */
export interface AnyKind extends Pick<JobKind.Any, "kind"> {
  /** The key of its tag. */
  readonly key: string
  readonly Producer: Effect.Effect<AnyProducer, never, unknown>
}

/**
 * The producers of kinds, which both `Email.producer` and `Email.layer` provide.
 *
 * @since 0.2.0
 * @category types
 */
export type Producers<K extends AnyKind> = Effect.Effect.Context<K["Producer"]>

/**
 * Options of `Page.layer`.
 *
 * @since 0.2.0
 * @category options
 */
export interface Options<K extends AnyKind, W extends Who, R> {
  /** Where the page is in the router, such as `/jobs`. A proxy may remove the beginning of the path, or all of it. */
  readonly path: `/${string}`
  /** The kinds whose jobs it shows. */
  readonly kinds: ReadonlyArray<K>
  /**
   * The session of the application, from the request: who sends it, and what that person may do. It runs for every request, and every
   * minute for each open stream. It fails with any error whose `_tag` is `Unauthorized`, such as `HttpApiError.Unauthorized`.
   */
  readonly authorize: Effect.Effect<W, { readonly _tag: "Unauthorized" }, R>
  /** Where a browser without a session is redirected. */
  readonly login?: string
  /**
   * The labels of the runs that a person may see and act on, at least one; for that person, no others exist. `"all"` limits nothing.
   * Any other value, such as `undefined`, is refused with 403 and logged once. Without `scope`, each person who may read reads all jobs
   * of these kinds.
   */
  readonly scope?: (who: W) => "all" | { readonly [label: string]: string }
  /** Origins of the page besides the requested host, for browsers without `Sec-Fetch-Site` behind a proxy that changes the host. */
  readonly origins?: ReadonlyArray<string>
}

/**
 * Options of tests.
 *
 * @internal
 */
export interface MountOptions<K extends AnyKind, W extends Who, R> extends Options<K, W, R>, api.Options {
  /** The directory of the built files. */
  readonly files?: string
}

/** What an application returns as a scope; in JavaScript, or past its types, that may be anything, and only what is meant counts. */
const labelsOf = (scope: unknown): Visitor["labels"] | undefined => {
  if (scope === "all") return {}
  if (typeof scope !== "object" || scope === null) return undefined
  const isPlain = [Object.prototype, null].includes(Object.getPrototypeOf(scope))
  return isPlain && Object.keys(scope).length > 0 && areLabels(scope) ? scope : undefined
}

const areLabels = Schema.is(Schema.Record({ key: Schema.String, value: Schema.String }))

/** How often an open stream is authorized. */
const interval = "60 seconds"

const pathPattern = /^\/$|^(\/[\w.~-]+)+$/

const documentPath = /^\/(?:[0-7][0-9A-HJKMNP-TV-Z]{25})?$/

/** The services that a layer provides to the handlers of requests. */
type Outside<R> = Exclude<R, HttpServerRequest | Scope.Scope>

const managersOf = <K extends AnyKind>(kinds: ReadonlyArray<K>) =>
  Effect.gen(function* () {
    const store = yield* RunStore
    const context = yield* Effect.context<Producers<K> | Scope.Scope>()
    // Another process may commit what the page shows.
    const followed = {
      ...store,
      changes: (...args: Parameters<typeof store.changes>) =>
        Effect.zipRight(store.producers.follow, store.changes(...args))
    }
    const all = yield* Effect.forEach(kinds, ({ Producer, key, kind }) =>
      Effect.gen(function* (): Effect.fn.Return<Managers.Managed<Acting>, never, Producers<K>> {
        const manager = Context.getOption(context, Context.GenericTag<AnyKind, AnyManager>(key))
        if (Option.isSome(manager)) return { kind, manager: manager.value }
        // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: each tag needs the producer of its kind
        const producer = yield* Producer as Effect.Effect<AnyProducer, never, Producers<K>>
        return { kind, manager: yield* ofProducer(kind, producer, followed) }
      })
    )
    return yield* Managers.make<Acting>(followed, all)
  })

const make = <K extends AnyKind, W extends Who, R>(options: MountOptions<K, W, R>) =>
  Effect.gen(function* () {
    const { authorize, files: directory = pageDirectory(), kinds, login, origins = [], path, scope } = options
    if (!pathPattern.test(path))
      return yield* Effect.dieMessage(`the path of a page is like /jobs or /a/b, not ${path}`)
    const managers = yield* managersOf(kinds)
    const handleApi = yield* api.make(managers, options)
    const files = yield* Effect.cached(pageFiles.read(directory))
    const check = checks.make(origins)
    const platform = yield* Layer.build(NodeHttpServer.layerContext)
    const services = Context.omit(Scope.Scope, HttpServerRequest)(yield* Effect.context<Outside<R>>())

    const warnOnce = yield* Effect.once(
      Effect.logWarning(
        `the scope of the page ${path} returned neither "all" nor an object of labels, and such persons are refused: return { label: "text" }`
      )
    )

    const admit = (request: HttpServerRequest): Effect.Effect<Visitor, RequestRefused> =>
      Effect.scopedWith((scope_) =>
        Effect.gen(function* () {
          const own = Context.make(HttpServerRequest, request).pipe(Context.add(Scope.Scope, scope_))
          // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the rest of R is from the layer
          const context = Context.merge(services, own) as unknown as Context.Context<R>
          const unknown = () => new RequestRefused({ reason: "session" })
          const who = yield* Effect.mapError(Effect.provide(authorize, context), unknown)
          const labels = scope === undefined ? {} : labelsOf(scope(who))
          if (labels !== undefined) return { by: who.by, can: who.can === "act" ? "act" : "read", labels }
          yield* warnOnce
          return yield* new RequestRefused({ reason: "scope" })
        })
      )

    /** Ends a stream once its visitor may no longer read it. */
    const whileAdmitted = (request: HttpServerRequest, visitor: Visitor) => {
      const isOver = admit(request).pipe(
        Effect.map((now) => !isSame(now, visitor)),
        Effect.catchAllCause(() => Effect.succeed(true))
      )
      return Stream.interruptWhen(Effect.repeat(Effect.delay(isOver, interval), { until: (isOver) => isOver }))
    }

    return Effect.gen(function* () {
      const request = yield* HttpServerRequest
      const { method, url } = request
      const [address = ""] = url.split("?", 1)
      const prefix = path === "/" ? "" : path
      const noRoute = new NoSuchRoute({ method, path: address })
      if (address !== path && !address.startsWith(`${prefix}/`)) return yield* noRoute
      const below = address === path ? "/" : address.slice(prefix.length)
      const isDocument = documentPath.test(below)
      const refusal = check(request, isDocument) ?? checkContentLength(request, defaultMaxBody)
      if (refusal !== undefined) return yield* refusal

      const admitted = yield* Effect.either(admit(request))
      if (Either.isLeft(admitted)) {
        return admitted.left.reason === "session" && isDocument && login !== undefined && !acts(request)
          ? HttpServerResponse.redirect(login, { status: 303 })
          : yield* admitted.left
      }
      const visitor = admitted.right
      if (acts(request) && visitor.can !== "act") return yield* new RequestRefused({ reason: "right" })

      if (below.startsWith("/api/")) {
        const response = yield* handleApi.pipe(
          Effect.provideService(Via, "page"),
          Effect.provideService(CurrentVisitor, visitor),
          Effect.provideService(HttpServerRequest, request.modify({ url: below + url.slice(address.length) })),
          Effect.provide(platform),
          Effect.provide(limits(defaultMaxBody))
        )
        const { body } = response
        return body._tag === "Stream"
          ? HttpServerResponse.setBody(
              response,
              HttpBody.stream(whileAdmitted(request, visitor)(body.stream), body.contentType, body.contentLength)
            )
          : response
      }
      if (acts(request)) return yield* noRoute
      const found = yield* files
      return isDocument
        ? pageFiles.documentOf(found, document.make(document.rootOf(path, address), visitor))
        : (found.assets.get(below) ?? (yield* noRoute))
    }).pipe(ofPage)
  })

/**
 * As `layer`, with options of tests.
 *
 * @internal
 */
export const mount = <const K extends AnyKind, W extends Who, R>(
  options: MountOptions<K, W, R>
): Layer.Layer<never, never, RunStore | Producers<K> | Outside<R>> =>
  HttpApiBuilder.Router.use((router) =>
    Effect.gen(function* () {
      const { path } = options
      const app = yield* make(options)
      yield* path === "/" ? router.all("/*", app) : router.mountApp(path, app, { includePrefix: true })
      const layers = yield* Effect.serviceOption(HttpLayerRouter.HttpRouter)
      if (Option.isNone(layers)) return
      if (path !== "/") yield* layers.value.add("*", path, app)
      yield* layers.value.add("*", path === "/" ? "/*" : `${path}/*`, app)
    })
  )

/**
 * The page of some kinds and its API, below a path of the application's router: that of `HttpApiBuilder`, or of `HttpLayerRouter`. It
 * shows the jobs of these kinds only, and needs their producers: the managers may be in another process.
 *
 * @since 0.2.0
 * @category layers
 */
export const layer = <const K extends AnyKind, W extends Who, R>(
  options: Options<K, W, R>
): Layer.Layer<never, never, RunStore | Producers<K> | Outside<R>> => mount(options)
