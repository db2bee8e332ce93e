/** Charlotte's jobs in the API of an application, beside routes of its own, over its own manager. */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { describe, expect, it } from "@effect/vitest"
import { JobsApi, layerApi } from "charlotte/http"
import { layer as scripted, ScriptedOrchestrator } from "charlotte/testing"
import { Chunk, Context, Effect, Exit, Fiber, Layer, Schema, Scope, Stream } from "effect"
import { createServer } from "node:http"
import { config, unknownId } from "../../support/jobs.js"
import * as eventSource from "../eventSource.js"
import * as requests from "../requests.js"

class AppApi extends HttpApi.make("app")
  .add(HttpApiGroup.make("hello").add(HttpApiEndpoint.get("hello", "/hello").addSuccess(Schema.String)))
  .addHttpApi(JobsApi) {}

const Hello = HttpApiBuilder.group(AppApi, "hello", (handlers) => handlers.handle("hello", () => Effect.succeed("hi")))

const make = Effect.gen(function* () {
  const App = HttpApiBuilder.serve().pipe(
    Layer.provide(HttpApiBuilder.api(AppApi)),
    Layer.provide([Hello, layerApi(AppApi, { heartbeat: 10 })]),
    Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0 })),
    Layer.provideMerge(scripted({ maxJobs: 1 }))
  )
  const services = yield* Layer.build(App)
  const { address } = Context.get(services, HttpServer.HttpServer)
  const port = address._tag === "TcpAddress" ? address.port : 0
  const script = Context.get(services, ScriptedOrchestrator.ScriptedOrchestrator)
  return { where: { port }, script, send: (sent: requests.Sent) => requests.send({ port }, sent) }
})

const submission = {
  method: "POST",
  path: "/api/v1/jobs",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(config)
}

const Submitted = Schema.parseJson(Schema.Struct({ id: Schema.String }))

describe("in the API of an application", () => {
  it.scopedLive("jobs are started, followed and stopped beside what else there is", () =>
    Effect.gen(function* () {
      const { script, send, where } = yield* make
      expect(yield* send({ path: "/hello" })).toMatchObject({ status: 200, json: "hi" })
      const { id } = yield* Effect.flatMap(send(submission), ({ text }) => Schema.decode(Submitted)(text))
      const { frames } = yield* eventSource.open(where, `/jobs/${id}/events`)
      const following = yield* Effect.fork(Stream.runCollect(eventSource.events(frames)))
      expect(yield* send({ ...submission, path: `/api/v1/jobs/${id}/stop`, body: "" })).toMatchObject({
        status: 200,
        json: { status: "cancelled" }
      })
      expect(Chunk.size(yield* Fiber.join(following))).toBe(3)
      expect(script).toBeDefined()
    })
  )

  it.scopedLive(
    "a stop with an empty part in its path stops nothing, also where the router leaves such parts out",
    () =>
      Effect.gen(function* () {
        const { send } = yield* make
        const { id } = yield* Effect.flatMap(send(submission), ({ text }) => Schema.decode(Submitted)(text))
        const stop = yield* send({ ...submission, path: "/api/v1/jobs//stop", body: "" })
        expect([400, 404]).toContain(stop.status)
        expect(yield* send({ path: `/api/v1/jobs/${id}` })).toMatchObject({ json: { status: "running" } })
      })
  )

  it.scopedLive("errors have the same statuses", () =>
    Effect.gen(function* () {
      const { send } = yield* make
      expect(yield* send({ ...submission, body: "{}" })).toMatchObject({
        status: 422,
        json: { _tag: "InvalidJobConfig" }
      })
      expect((yield* send(submission)).status).toBe(201)
      // At capacity a configuration is not even decoded.
      expect(yield* send({ ...submission, body: "{}" })).toMatchObject({ status: 429 })
      const full = yield* send(submission)
      expect(full).toMatchObject({ status: 429, json: { _tag: "MaxJobsReached", message: "max jobs (1) reached" } })
      expect(full.headers["retry-after"]).toBeDefined()
      expect(yield* send({ path: `/api/v1/jobs/${unknownId}` })).toMatchObject({ status: 404 })
      expect(yield* send({ ...submission, body: "{" })).toMatchObject({ status: 400, json: { _tag: "RequestRefused" } })
      expect(yield* send({ path: "/api/v1/events?after=-1" })).toMatchObject({ status: 400 })
    })
  )

  it.scopedLive("an open event stream does not keep the application from ending", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { where } = yield* Scope.extend(make, scope)
      const { frames } = yield* eventSource.open(where, "/events")
      const following = yield* Effect.fork(Stream.runCollect(frames))
      yield* Scope.close(scope, Exit.void)
      expect(Chunk.toReadonlyArray(yield* Fiber.join(following)).at(-1)?.event).toBe("shutdown")
    })
  )
})
