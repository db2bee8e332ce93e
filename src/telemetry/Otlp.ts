/**
 * The exporters of `@effect/opentelemetry`, which need no SDK. A collector that cannot be reached loses what is for it: each
 * request has a time limit, and after a failure an exporter drops everything for a minute.
 */
import * as OtlpLogger from "@effect/opentelemetry/OtlpLogger"
import * as OtlpMetrics from "@effect/opentelemetry/OtlpMetrics"
import * as OtlpSerialization from "@effect/opentelemetry/OtlpSerialization"
import * as OtlpTracer from "@effect/opentelemetry/OtlpTracer"
import * as HttpClient from "@effect/platform/HttpClient"
import { RequestError } from "@effect/platform/HttpClientError"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Clock, Effect, Layer, Logger, Option, Ref, Tracer } from "effect"
import { randomUUID } from "node:crypto"
import type { Redaction } from "../internal/Redaction.js"
import * as Tracing from "../internal/Tracing.js"
import type { Settings, Signal } from "./Settings.js"

export interface Options {
  /** What is exported is redacted. */
  readonly secrets: Redaction
  readonly version: string
  /** Milliseconds in which the rest is sent at the end; what is not sent by then is lost. */
  readonly flush: number
}

/** Between two warnings that a collector cannot be reached, in milliseconds. */
const quiet = 600_000

const warnAboutFailures = (client: HttpClient.HttpClient): Effect.Effect<HttpClient.HttpClient> =>
  Effect.map(Ref.make(-Infinity), (warnedAt) =>
    HttpClient.tapError(client, (error) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        if (now - (yield* Ref.getAndUpdate(warnedAt, (at) => (now - at < quiet ? at : now))) < quiet) return
        yield* Effect.logWarning(`telemetry cannot be sent and is dropped meanwhile: ${error.message}`)
      })
    )
  )

const client = ({ timeout }: Settings) =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.flatMap(HttpClient.HttpClient, (client) =>
      warnAboutFailures(
        HttpClient.filterStatusOk(
          HttpClient.transform(client, (response, request) =>
            Effect.timeoutFail(response, {
              duration: timeout,
              onTimeout: () =>
                new RequestError({ request, reason: "Transport", description: `no response within ${timeout} ms` })
            })
          )
        )
      )
    )
  ).pipe(Layer.provide(NodeHttpClient.layer))

/** Whatever is sent passes through here, so that it is redacted in one place. */
const serialization = (protocol: Settings["protocol"], { json }: Redaction) =>
  Layer.effect(
    OtlpSerialization.OtlpSerialization,
    Effect.map(OtlpSerialization.OtlpSerialization, ({ logs, metrics, traces }) => {
      const redacted = (data: unknown): unknown => JSON.parse(json(JSON.stringify(data)))
      return {
        logs: (data) => logs(redacted(data)),
        metrics: (data) => metrics(redacted(data)),
        traces: (data) => traces(redacted(data))
      }
    })
  ).pipe(Layer.provide(protocol === "http/json" ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf))

/**
 * A later attempt at a job is in the trace of the first, yet has no parent: that one's span may have been lost with its process.
 */
const withRoots = (tracer: Tracer.Tracer): Tracer.Tracer =>
  Tracer.make({
    context: tracer.context,
    span: (name, parent, ...rest) => {
      const isRoot = name === Tracing.job && Option.exists(parent, ({ _tag }) => _tag === "ExternalSpan")
      const root = isRoot ? Option.map(parent, ({ traceId }) => Tracer.externalSpan({ traceId, spanId: "" })) : parent
      return tracer.span(name, root, ...rest)
    }
  })

export const layer = (settings: Settings, { flush, secrets, version }: Options): Layer.Layer<never> => {
  const instance = randomUUID()
  const options = (signal: Signal) => {
    const target = settings.targets[signal]
    return (
      target && {
        ...target,
        resource: {
          serviceName: settings.serviceName,
          serviceVersion: version,
          attributes: { "service.instance.id": instance, ...settings.attributes }
        },
        exportInterval: settings.intervals[signal],
        shutdownTimeout: flush
      }
    )
  }
  const [traces, metrics, logs] = [options("traces"), options("metrics"), options("logs")]
  return Layer.mergeAll(
    traces
      ? Layer.unwrapScoped(Effect.map(OtlpTracer.make(traces), (tracer) => Layer.setTracer(withRoots(tracer))))
      : Layer.empty,
    metrics ? Layer.scopedDiscard(OtlpMetrics.make(metrics)) : Layer.empty,
    logs ? Logger.addScoped(OtlpLogger.make(logs)) : Layer.empty
  ).pipe(Layer.provide([client(settings), serialization(settings.protocol, secrets)]))
}
