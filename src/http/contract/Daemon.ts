/**
 * Endpoints of the daemon: shutdown, liveness, readiness, metrics.
 */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import { Schema } from "effect"
import { described } from "./described.js"
import * as errorSchemas from "./errorSchemas.js"

/**
 * Version and process id of a running server.
 *
 * @since 0.1.0
 * @category models
 */
export class Health extends Schema.Class<Health>("charlotte/Health")({
  version: Schema.String,
  pid: Schema.Int
}) {}

/**
 * The server can run and record jobs.
 *
 * @since 0.1.0
 * @category models
 */
export class Ready extends Schema.Class<Ready>("charlotte/Ready")({
  ready: Schema.Literal(true),
  /** How many seconds the oldest write waits, if that is a second or more. */
  oldestWriteSeconds: Schema.optional(Schema.Number),
  /** Jobs that have not ended within their grace; they keep their permits. */
  overdue: Schema.optional(Schema.Array(Schema.String)),
  /** By how many seconds the clock of this machine is ahead of that of the database, negative if it is behind; missing up to 5 seconds. */
  clockAheadSeconds: Schema.optional(Schema.Number)
}) {}

export const shutdownPath = "/api/v1/shutdown"
export const healthPath = "/healthz"
export const openApiPath = "/openapi.json"
export const docsPath = "/docs"

export const group = HttpApiGroup.make("charlotteDaemon")
  .add(
    HttpApiEndpoint.post("shutdown", shutdownPath)
      .addSuccess(HttpApiSchema.Accepted)
      .annotateContext(described("Shut down", "Running jobs are interrupted and resume when the server starts again."))
  )
  .add(HttpApiEndpoint.get("health", healthPath).addSuccess(Health).annotateContext(described("Liveness")))
  .add(
    HttpApiEndpoint.get("ready", "/readyz")
      .addSuccess(Ready)
      .addError(errorSchemas.NotReady)
      .annotateContext(described("Readiness: whether jobs can be run and recorded"))
  )
  .add(
    HttpApiEndpoint.get("metrics", "/metrics")
      .addSuccess(
        Schema.String.pipe(
          HttpApiSchema.withEncoding({ kind: "Text", contentType: "text/plain; version=0.0.4; charset=utf-8" })
        )
      )
      .addError(errorSchemas.Store)
      .annotateContext(described("Metrics for Prometheus"))
  )
  .annotateContext(OpenApi.annotations({ title: "server", description: "Shutdown, liveness, readiness, metrics" }))
