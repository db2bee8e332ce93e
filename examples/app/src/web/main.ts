/**
 * The web process: it starts jobs, and shows what becomes of them. There can be any number of them.
 */
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Server } from "charlotte/http"
import { Config, Layer } from "effect"
import * as Store from "../Store.ts"
import * as Web from "./Web.ts"

const Http = NodeHttpServer.layerConfig(Server.createServer, {
  host: Config.succeed("127.0.0.1"),
  port: Config.withDefault(Config.port("PORT"), 3000)
})

const Main = Web.layer.pipe(Layer.provide(Store.layer), HttpServer.withLogAddress, Layer.provide(Http))

NodeRuntime.runMain(Layer.launch(Main))
