import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Database, RunStore } from "charlotte"
import { Engine, JobKind } from "charlotte/cluster"
import { JobsApi, Server } from "charlotte/http"
import { Config, Effect, Layer } from "effect"
import { Report } from "./Report.js"

// Such as postgres://app@db.internal/app, with the password in PGPASSWORD or in the file of PGPASSFILE.
const Postgres = Layer.unwrapEffect(
  Effect.map(Config.redacted("DATABASE_URL"), (url) => Database.layerPostgres({ url }))
)

// How the other nodes reach this one, such as 10.0.0.5:7440. Each node has its own.
const address = Config.string("ADDRESS")
const ThisNode = Layer.unwrapEffect(Effect.map(address, (address) => Engine.layer({ address })))

const Reports = JobKind.layerCluster(Report, {
  maxJobs: 20,
  capacity: 8,
  run: ({ config: { pages }, emit, step }) =>
    Effect.gen(function* () {
      yield* emit({ type: "begun", payload: { node: yield* address } })
      for (let page = 1; page <= pages; page++) {
        // A page that an earlier attempt has written, on whatever node, is not written again.
        yield* step(
          `page-${page}`,
          Effect.zipRight(Effect.sleep("1 second"), emit({ type: "written", payload: { page } }))
        )
      }
    })
})

const Jobs = Reports.pipe(Layer.provide(ThisNode), Layer.provideMerge(RunStore.layer), Layer.provide(Postgres))

// Requests about any job can be sent to any node.
const Api = HttpApi.make("reports").addHttpApi(JobsApi.make([Report]))

// Who may send requests is for you to say: here, who may open the socket.
const Http = Layer.unwrapEffect(
  Effect.map(Config.string("SOCKET"), (path) => NodeHttpServer.layer(Server.createServer, { path }))
)

const App = HttpApiBuilder.serve().pipe(
  Layer.provide(HttpApiBuilder.api(Api)),
  Layer.provide(JobsApi.layer(Api)),
  Layer.provide(Jobs),
  Layer.provide(Http)
)

NodeRuntime.runMain(Layer.launch(App))
