/**
 * The exporters of `@effect/opentelemetry`, which need no SDK. Telemetry for an unreachable collector is lost: each request has a
 * time limit, and after a failure an exporter drops everything for a minute.
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
import type { Settings, Signal, Target } from "./Settings.js"

export interface Options {
  /** Redacts exported data. */
  readonly secrets: Redaction
  readonly version: string
  /** Milliseconds to send the rest at the end; anything not sent by then is lost. */
  readonly flush: number
}

/** Milliseconds between two warnings about an unreachable collector. */
const quiet = 600_000

/** `warnedAt`: when the last warning was logged, for any signal. */
const warnAboutFailures = (client: HttpClient.HttpClient, warnedAt: Ref.Ref<number>): HttpClient.HttpClient =>
  HttpClient.tapError(client, (error) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      if (now - (yield* Ref.getAndUpdate(warnedAt, (at) => (now - at < quiet ? at : now))) < quiet) return
      yield* Effect.logWarning(`telemetry cannot be sent and is dropped meanwhile: ${error.message}`)
    })
  )

const client = ({ timeout }: Target, warnedAt: Ref.Ref<number>) =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, (client) =>
      warnAboutFailures(
        HttpClient.filterStatusOk(
          HttpClient.transform(client, (response, request) =>
            Effect.timeoutFail(response, {
              duration: timeout,
              onTimeout: () =>
                new RequestError({ request, reason: "Transport", description: `no response within ${timeout} ms` })
            })
          )
        ),
        warnedAt
      )
    )
  )

/** Everything sent passes through here, so that it is redacted in one place. */
const serialization = ({ protocol }: Target, { json }: Redaction) =>
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
 * A later attempt at a job belongs to the trace of the first, but has no parent: the first span may have been lost with its process.
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
  const warnedAt = Ref.unsafeMake(-Infinity)
  const resource = {
    serviceName: settings.serviceName,
    serviceVersion: version,
    attributes: { "service.instance.id": randomUUID(), ...settings.attributes }
  }
  const exporter = (
    signal: Signal,
    make: (
      options: Parameters<typeof OtlpMetrics.make>[0]
    ) => Layer.Layer<never, never, HttpClient.HttpClient | OtlpSerialization.OtlpSerialization>
  ): Layer.Layer<never, never, HttpClient.HttpClient> => {
    const target = settings.targets[signal]
    if (target === undefined) return Layer.empty
    const options = { ...target, resource, exportInterval: settings.intervals[signal], shutdownTimeout: flush }
    return Layer.provide(make(options), [client(target, warnedAt), serialization(target, secrets)])
  }
  return Layer.mergeAll(
    exporter("traces", (options) =>
      Layer.unwrapScoped(Effect.map(OtlpTracer.make(options), (tracer) => Layer.setTracer(withRoots(tracer))))
    ),
    exporter("metrics", (options) => Layer.scopedDiscard(OtlpMetrics.make(options))),
    exporter("logs", (options) => Logger.addScoped(OtlpLogger.make(options)))
  ).pipe(Layer.provide(NodeHttpClient.layer))
}
