/** An OTLP receiver: an HTTP server on loopback that decodes what is sent to it, as JSON or protobuf. */
import { Effect, Schedule, Schema, type Scope } from "effect"
import { createServer, type IncomingHttpHeaders } from "node:http"
import * as protobuf from "./protobuf.js"

const Value = Schema.Struct({
  stringValue: Schema.optional(Schema.String),
  intValue: Schema.optional(Schema.Number),
  doubleValue: Schema.optional(Schema.Number),
  boolValue: Schema.optional(Schema.Boolean)
})
const Attributes = Schema.Array(Schema.Struct({ key: Schema.String, value: Value }))
const resource = Schema.Struct({ attributes: Attributes })

const Span = Schema.Struct({
  traceId: Schema.String.pipe(Schema.pattern(/^[0-9a-f]{32}$/)),
  spanId: Schema.String.pipe(Schema.pattern(/^[0-9a-f]{16}$/)),
  parentSpanId: Schema.optional(Schema.String),
  name: Schema.String,
  startTimeUnixNano: Schema.NumberFromString,
  endTimeUnixNano: Schema.NumberFromString,
  attributes: Attributes,
  events: Schema.Array(Schema.Struct({ name: Schema.String, timeUnixNano: Schema.NumberFromString })),
  links: Schema.Array(Schema.Struct({ traceId: Schema.String, spanId: Schema.String })),
  status: Schema.Struct({ code: Schema.Number, message: Schema.optional(Schema.String) })
})

const Traces = Schema.Struct({
  resourceSpans: Schema.Array(
    Schema.Struct({ resource, scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Span) })) })
  )
})

const Point = Schema.Struct({
  attributes: Attributes,
  asDouble: Schema.optional(Schema.Number),
  asInt: Schema.optional(Schema.Number),
  count: Schema.optional(Schema.Number),
  sum: Schema.optional(Schema.Number)
})
const points = Schema.optional(
  Schema.Struct({ dataPoints: Schema.Array(Point), isMonotonic: Schema.optional(Schema.Boolean) })
)
const Metric = Schema.Struct({
  name: Schema.String,
  unit: Schema.String,
  sum: points,
  gauge: points,
  histogram: points
})

const Metrics = Schema.Struct({
  resourceMetrics: Schema.Array(
    Schema.Struct({ resource, scopeMetrics: Schema.Array(Schema.Struct({ metrics: Schema.Array(Metric) })) })
  )
})

const Log = Schema.Struct({
  severityText: Schema.String,
  body: Value,
  attributes: Attributes,
  traceId: Schema.optional(Schema.String)
})

const Logs = Schema.Struct({
  resourceLogs: Schema.Array(
    Schema.Struct({ resource, scopeLogs: Schema.Array(Schema.Struct({ logRecords: Schema.Array(Log) })) })
  )
})

const decode = {
  traces: Schema.decodeUnknownSync(Schema.parseJson(Traces)),
  metrics: Schema.decodeUnknownSync(Schema.parseJson(Metrics)),
  logs: Schema.decodeUnknownSync(Schema.parseJson(Logs))
}

export type Span = typeof Span.Type
export type Metric = typeof Metric.Type
export type Log = typeof Log.Type

export interface Receiver {
  readonly url: string
  readonly spans: Array<Span>
  /** Of all exports, the last one at the end. */
  readonly metrics: Array<Metric>
  readonly logs: Array<Log>
  readonly resources: Array<Readonly<Record<string, unknown>>>
  readonly headers: Array<IncomingHttpHeaders>
  /** Of all requests. */
  readonly text: () => string
  /** What cannot be decoded. */
  readonly errors: Array<unknown>
}

/** The attributes by name. */
export const attributes = (of: { readonly attributes: typeof Attributes.Type }): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    of.attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue
    ])
  )

/** The newest points of a metric. */
export const latest = ({ metrics }: Receiver, name: string) => {
  const metric = metrics.findLast((metric) => metric.name === name)
  return (metric?.sum ?? metric?.gauge ?? metric?.histogram)?.dataPoints ?? []
}

const signalOf = (path: string | undefined): keyof typeof decode => {
  switch (path) {
    case "/v1/traces":
      return "traces"
    case "/v1/metrics":
      return "metrics"
    case "/v1/logs":
      return "logs"
    default:
      throw new Error(`there is no ${path}`)
  }
}

export interface Options {
  /** Never answers. */
  readonly hangs?: boolean
}

export const make = ({ hangs = false }: Options = {}): Effect.Effect<Receiver, never, Scope.Scope> =>
  Effect.gen(function* () {
    const texts: Array<string> = []
    const received: Receiver = {
      url: "",
      spans: [],
      metrics: [],
      logs: [],
      resources: [],
      headers: [],
      errors: [],
      text: () => texts.join("\n")
    }
    const take = (signal: keyof typeof decode, text: string) => {
      switch (signal) {
        case "traces":
          for (const { resource, scopeSpans } of decode.traces(text).resourceSpans) {
            received.resources.push(attributes(resource))
            received.spans.push(...scopeSpans.flatMap(({ spans }) => spans))
          }
          return
        case "metrics":
          for (const { resource, scopeMetrics } of decode.metrics(text).resourceMetrics) {
            received.resources.push(attributes(resource))
            received.metrics.push(...scopeMetrics.flatMap(({ metrics }) => metrics))
          }
          return
        case "logs":
          for (const { resource, scopeLogs } of decode.logs(text).resourceLogs) {
            received.resources.push(attributes(resource))
            received.logs.push(...scopeLogs.flatMap(({ logRecords }) => logRecords))
          }
      }
    }
    const server = createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => void chunks.push(chunk))
      request.on("end", () => {
        const body = Buffer.concat(chunks)
        received.headers.push(request.headers)
        try {
          const signal = signalOf(request.url)
          const isBinary = request.headers["content-type"] === "application/x-protobuf"
          const text = isBinary ? protobuf.decode(signal, body) : body.toString()
          texts.push(text)
          take(signal, text)
        } catch (error) {
          received.errors.push(error)
        }
        if (!hangs) response.writeHead(200, { "content-type": "application/json" }).end("{}")
      })
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return { ...received, url: `http://127.0.0.1:${port}` }
  })

/** Returns when it is so; a test that waits for ever has failed. */
export const until = (isSo: () => boolean): Effect.Effect<void> =>
  Effect.sync(isSo).pipe(Effect.repeat({ until: (so) => so, schedule: Schedule.spaced("20 millis") }), Effect.asVoid)
