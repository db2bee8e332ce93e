/**
 * The API of the page of an application. It does what the visitor may do, and knows the jobs that exist for that visitor.
 */
import type { HttpApiEndpoint } from "@effect/platform/HttpApiEndpoint"
import type { HttpApiGroup } from "@effect/platform/HttpApiGroup"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpRouter from "@effect/platform/HttpRouter"
import { Context, Effect, Layer, Predicate, Record, type Scope } from "effect"
import { PageApi } from "../../contract/Api.js"
import { groupOfPage } from "../../contract/Jobs.js"
import * as apiRouter from "../apiRouter.js"
import { handleEach } from "../handleEach.js"
import * as jobHandlers from "../jobHandlers.js"
import type { Service as Managers } from "../Managers.js"
import * as OpenStreams from "../OpenStreams.js"
import * as SseStreams from "../SseStreams.js"
import type { Acting } from "./acting.js"
import * as scoped from "./scoped.js"
import { CurrentVisitor, isLimited, type Visitor } from "./Visitor.js"

export interface Options extends SseStreams.Options, OpenStreams.Options {}

/** What `make` makes of the managers, for the jobs that exist for a visitor. */
const forVisitor = <A>(managers: Managers<Acting>, make: (managers: Managers<Acting>) => A) => {
  const ofAll = make(managers)
  return Effect.map(CurrentVisitor, (visitor: Visitor) => ({
    by: visitor.by,
    of: isLimited(visitor) ? make(scoped.make(managers, visitor.labels)) : ofAll
  }))
}

/** What a person does is recorded under the name that the application knows, whatever the request says. */
const sentBy = (by: string, request: object): object =>
  Record.map({ ...request }, (part: unknown, name) =>
    (name === "urlParams" || name === "payload") && Predicate.isRecord(part) ? { ...part, by } : part
  )

type Handlers = ReturnType<typeof jobHandlers.make<Acting>>
type PageHandlers = Pick<Handlers, HttpApiEndpoint.Name<HttpApiGroup.Endpoints<typeof groupOfPage>>>

const jobs = (managers: Managers<Acting>) => {
  const visitor = forVisitor(managers, jobHandlers.make)
  const handle = (name: keyof Handlers) => (request: object) =>
    // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the handler of this name takes its request
    Effect.flatMap(visitor, ({ by, of }): Effect.Effect<unknown, unknown> => of[name](sentBy(by, request) as never))
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: there is a handler for each name
  const each = Record.map(groupOfPage.endpoints, ({ name }) => handle(name)) as unknown as PageHandlers
  return HttpApiBuilder.group(PageApi, "charlotteJobs", (handlers) => handleEach(handlers, each))
}

const events = (managers: Managers<Acting>, options: Options) =>
  HttpApiBuilder.group(PageApi, "charlotteEvents", (handlers) =>
    Effect.map(OpenStreams.OpenStreams, (streams) => {
      const visitor = forVisitor(managers, (managers) => SseStreams.make({ ...options, managers, streams }))
      return handlers
        .handle("ofJob", ({ headers, path: { id }, request, urlParams: { after } }) =>
          Effect.flatMap(visitor, ({ of }) => of.ofJob(request, id, headers["last-event-id"] ?? after))
        )
        .handle("ofAll", ({ headers, request, urlParams: { after, kind } }) =>
          Effect.flatMap(visitor, ({ of }) => of.ofAll(request, kind, headers["last-event-id"] ?? after))
        )
    })
  )

class Api extends Context.Tag("charlotte/http/mounted/Api")<
  Api,
  HttpApp.Default<never, HttpRouter.HttpRouter.DefaultServices>
>() {}

export const make = (
  managers: Managers<Acting>,
  options: Options
): Effect.Effect<Context.Tag.Service<Api>, never, Scope.Scope> =>
  Layer.effect(Api, apiRouter.app).pipe(
    Layer.provide([HttpApiBuilder.api(PageApi), apiRouter.readableDecodeErrors]),
    Layer.provide([jobs(managers), events(managers, options)]),
    Layer.provide([OpenStreams.layer(options), HttpApiBuilder.Router.Live, HttpApiBuilder.Middleware.layer]),
    // Not shared with the application, which has another router.
    Layer.fresh,
    Layer.build,
    Effect.map(Context.get(Api))
  )
