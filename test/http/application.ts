/** Charlotte's jobs in the API of an application, beside routes of its own, over its own manager. */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { JobsApi } from "charlotte/http"
import { ScriptedOrchestrator, TestManager } from "charlotte/testing"
import { Context, Effect, Layer, Schema } from "effect"
import { createServer } from "node:http"
import * as requests from "./requests.js"

class AppApi extends HttpApi.make("app")
  .add(HttpApiGroup.make("hello").add(HttpApiEndpoint.get("hello", "/hello").addSuccess(Schema.String)))
  .addHttpApi(JobsApi.JobsApi) {}

const Hello = HttpApiBuilder.group(AppApi, "hello", (handlers) => handlers.handle("hello", () => Effect.succeed("hi")))

export const make = (options: JobsApi.Options = {}) =>
  Effect.gen(function* () {
    const App = HttpApiBuilder.serve().pipe(
      Layer.provide(HttpApiBuilder.api(AppApi)),
      Layer.provide([Hello, JobsApi.layer(AppApi, { heartbeat: 10, ...options })]),
      Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0 })),
      Layer.provideMerge(TestManager.layer({ maxJobs: 1 }))
    )
    const services = yield* Layer.build(App)
    const { address } = Context.get(services, HttpServer.HttpServer)
    const port = address._tag === "TcpAddress" ? address.port : 0
    const script = Context.get(services, ScriptedOrchestrator.ScriptedOrchestrator)
    return { where: { port }, script, send: (sent: requests.Sent) => requests.send({ port }, sent) }
  })
