/**
 * The server itself.
 */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import { Schema } from "effect"
import * as Failure from "./errorSchemas.js"

/** @since 0.1.0 */
export class Health extends Schema.Class<Health>("charlotte/Health")({
  version: Schema.String,
  pid: Schema.Int
}) {}

/** @since 0.1.0 */
export class Ready extends Schema.Class<Ready>("charlotte/Ready")({ ready: Schema.Literal(true) }) {}

export const shutdownPath = "/api/v1/shutdown"
export const healthPath = "/healthz"

export const group = HttpApiGroup.make("charlotteDaemon")
  .add(
    HttpApiEndpoint.post("shutdown", shutdownPath)
      .addSuccess(HttpApiSchema.Accepted)
      .annotateContext(
        OpenApi.annotations({
          summary: "Asks the server to end",
          description: "Jobs that run are interrupted, and go on when the next server starts."
        })
      )
  )
  .add(
    HttpApiEndpoint.get("health", healthPath)
      .addSuccess(Health)
      .annotateContext(OpenApi.annotations({ summary: "Tells that the server is alive" }))
  )
  .add(
    HttpApiEndpoint.get("ready", "/readyz")
      .addSuccess(Ready)
      .addError(Failure.NotReady)
      .annotateContext(OpenApi.annotations({ summary: "Tells whether jobs can be worked on and recorded" }))
  )
  .add(
    HttpApiEndpoint.get("metrics", "/metrics")
      .addSuccess(
        Schema.String.pipe(
          HttpApiSchema.withEncoding({ kind: "Text", contentType: "text/plain; version=0.0.4; charset=utf-8" })
        )
      )
      .addError(Failure.StoreAway)
      .addError(Failure.StoreBroken)
      .addError(Failure.StoreFull)
      .annotateContext(OpenApi.annotations({ summary: "Metrics for Prometheus" }))
  )
  .annotateContext(OpenApi.annotations({ title: "server", description: "The server itself" }))
