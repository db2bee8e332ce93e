/**
 * The server: `npm start`. It listens on the socket `shop.socket`, and keeps everything in `shop.db`.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { JobsApi } from "charlotte/http"
import { Effect, Layer } from "effect"
import { createServer } from "node:http"
import { Api, ordersLayer } from "./Api.ts"
import { socket } from "./socket.ts"
import * as Shop from "./Shop.ts"

const ShopLive = Shop.layer("shop.db")

// A killed server leaves its socket behind. The jobs of a database have one owner, so no server listens here once the shop is built.
const StaleSocket = Layer.effectDiscard(
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.remove(socket, { force: true }))
).pipe(Layer.provide([ShopLive, NodeFileSystem.layer]))

const App = HttpApiBuilder.serve().pipe(
  Layer.provide(HttpApiBuilder.api(Api)),
  Layer.provide([ordersLayer, JobsApi.layer(Api)]),
  Layer.provide(ShopLive),
  HttpServer.withLogAddress,
  // Every user who may open the socket may send requests.
  Layer.provide(NodeHttpServer.layer(createServer, { path: socket })),
  Layer.provide(StaleSocket)
)

NodeRuntime.runMain(Layer.launch(App))
