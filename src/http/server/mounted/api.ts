/**
 * The API of the page of an application. It does what the visitor may do, and knows the jobs that exist for that visitor.
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpRouter from "@effect/platform/HttpRouter"
import { Context, Effect, Layer, type Scope } from "effect"
import { PageApi } from "../../contract/Api.js"
import * as apiRouter from "../apiRouter.js"
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
const jobs = (managers: Managers<Acting>) => {
  const visitor = forVisitor(managers, jobHandlers.make)
  return HttpApiBuilder.group(PageApi, "charlotteJobs", (handlers) =>
    handlers
      .handle("list", (request) => Effect.flatMap(visitor, ({ of }) => of.list(request)))
      .handle("get", (request) => Effect.flatMap(visitor, ({ of }) => of.get(request)))
      .handle("step", (request) => Effect.flatMap(visitor, ({ of }) => of.step(request)))
      .handle("export", (request) => Effect.flatMap(visitor, ({ of }) => of.export(request)))
      .handle("stop", ({ path, urlParams }) =>
        Effect.flatMap(visitor, ({ by, of }) => of.stop({ path, urlParams: { ...urlParams, by } }))
      )
      .handle("resume", ({ path, urlParams }) =>
        Effect.flatMap(visitor, ({ by, of }) => of.resume({ path, urlParams: { ...urlParams, by } }))
      )
      .handle("retry", ({ path, urlParams }) =>
        Effect.flatMap(visitor, ({ by, of }) => of.retry({ path, urlParams: { ...urlParams, by } }))
      )
      .handle("retryMany", ({ payload }) =>
        Effect.flatMap(visitor, ({ by, of }) => of.retryMany({ payload: { ...payload, by } }))
      )
      .handle("signal", ({ path, payload }) =>
        Effect.flatMap(visitor, ({ by, of }) => of.signal({ path, payload: { ...payload, by } }))
      )
      .handle("pin", ({ path }) => Effect.flatMap(visitor, ({ by, of }) => of.pin({ path, urlParams: { by } })))
      .handle("unpin", ({ path }) => Effect.flatMap(visitor, ({ by, of }) => of.unpin({ path, urlParams: { by } })))
  )
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
