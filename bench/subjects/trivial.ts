/**
 * A minimal server from a contract in the same way: its endpoints return an id.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer, Schema } from "effect"
import { createServer } from "node:http"
import { number, report, text } from "../harness/Subject.js"
import { clients, found, isServer } from "./beside.js"
import { get, post, requests } from "./requests.js"

const socket = `${text("root")}/socket`

const Thing = Schema.Struct({ id: Schema.String })

const api = HttpApi.make("trivial").add(
  HttpApiGroup.make("things")
    .add(HttpApiEndpoint.get("get", "/things/:id").setPath(Thing).addSuccess(Thing))
    .add(HttpApiEndpoint.post("make", "/things").setPayload(Thing).addSuccess(Thing, { status: 201 }))
)

const things = HttpApiBuilder.group(api, "things", (handlers) =>
  handlers.handle("get", ({ path }) => Effect.succeed(path)).handle("make", ({ payload }) => Effect.succeed(payload))
)

const server = HttpApiBuilder.serve().pipe(
  Layer.provide(HttpApiBuilder.api(api)),
  Layer.provide(things),
  Layer.provide(NodeHttpServer.layer(() => createServer(), { path: socket }))
)

if (isServer) {
  const measured = Effect.map(
    Effect.promise(() => clients(import.meta.url)),
    report
  )
  await Effect.runPromise(Effect.provide(measured, server))
} else {
  const request = text("method") === "POST" ? post("/things", { id: "an-id" }) : get("/things/an-id")
  found(await requests(socket, request, number("connections"), number("millis")))
}
