import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { JobManager, Orchestrator, RunStore } from "charlotte"
import { JobsApi, Server } from "charlotte/http"
import { Effect, Layer } from "effect"

const Counting = Orchestrator.layer((job) =>
  Effect.forEach([1, 2, 3], (n) => job.emit({ type: "counted", payload: n })).pipe(Effect.as("counted to three"))
)

const Jobs = JobManager.layer().pipe(Layer.provideMerge(RunStore.layerMemory), Layer.provide(Counting))

// Your own groups stand beside ours.
const AppApi = HttpApi.make("app").addHttpApi(JobsApi.JobsApi)

const App = HttpApiBuilder.serve().pipe(
  Layer.provide(HttpApiBuilder.api(AppApi)),
  Layer.provide(JobsApi.layer(AppApi)),
  Layer.provide(Jobs),
  HttpServer.withLogAddress,
  // Who may send requests is for you to say: here, who may open the socket. It answers 503 until all the rest is ready.
  Layer.provide(NodeHttpServer.layer(Server.createServer, { path: process.argv[2] ?? "app.socket" }))
)

NodeRuntime.runMain(Layer.launch(App))
