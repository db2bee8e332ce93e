import { describe, expect, it } from "vitest"
import * as Settings from "../../src/telemetry/Settings.js"

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318" }

const read = (variables: Readonly<Record<string, string>>) => Settings.read({ ...endpoint, ...variables })

/** Of each signal, where nothing else is set. */
const usual = { headers: {}, protocol: "http/json", timeout: 10_000 }

describe("the variables of OpenTelemetry", () => {
  it("export nothing without an endpoint, whatever else is set", () => {
    expect(Settings.read({ OTEL_SERVICE_NAME: "a", OTEL_TRACES_EXPORTER: "otlp", OTEL_SDK_DISABLED: "no" })).toEqual({
      settings: undefined,
      problems: []
    })
    expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT: " " }).settings).toBeUndefined()
  })

  it("export all signals to an endpoint, with or without a slash at its end", () => {
    for (const slash of ["", "/"]) {
      const { problems, settings } = read({ OTEL_EXPORTER_OTLP_ENDPOINT: `https://collector.example/otel${slash}` })
      expect(problems).toEqual([])
      expect(settings?.targets).toEqual({
        traces: { ...usual, url: "https://collector.example/otel/v1/traces" },
        metrics: { ...usual, url: "https://collector.example/otel/v1/metrics" },
        logs: { ...usual, url: "https://collector.example/otel/v1/logs" }
      })
      expect(settings?.serviceName).toBe("charlotte")
    }
  })

  it("name the service, its attributes and the headers, percent-decoded", () => {
    const { problems, settings } = read({
      OTEL_RESOURCE_ATTRIBUTES: "service.name=ignored, deployment.environment.name=a%2Cb ,x=1=2",
      OTEL_SERVICE_NAME: "builder",
      OTEL_EXPORTER_OTLP_HEADERS: "api-key=s%3D1",
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: "of=logs"
    })
    expect(problems).toEqual([])
    expect(settings?.serviceName).toBe("builder")
    expect(settings?.attributes).toEqual({ "deployment.environment.name": "a,b", x: "1=2" })
    expect(settings?.targets.traces?.headers).toEqual({ "api-key": "s=1" })
    expect(settings?.targets.logs?.headers).toEqual({ "api-key": "s=1", of: "logs" })
    expect(read({ OTEL_RESOURCE_ATTRIBUTES: "service.name=of-attributes" }).settings?.serviceName).toBe("of-attributes")
  })

  it("leave signals out, or all of them", () => {
    const { settings } = read({ OTEL_METRICS_EXPORTER: "none", OTEL_LOGS_EXPORTER: "none" })
    expect(Object.keys(settings?.targets ?? {})).toEqual(["traces"])
    for (const off of [
      { OTEL_SDK_DISABLED: "TRUE" },
      { OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none", OTEL_LOGS_EXPORTER: "none" }
    ])
      expect(read(off)).toEqual({ settings: undefined, problems: [] })
  })

  it("may name the endpoint of one signal only, as it is", () => {
    const traces = "https://traces.example/in"
    const { settings } = Settings.read({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces })
    expect(settings?.targets).toEqual({ traces: { ...usual, url: traces } })
    expect(read({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces }).settings?.targets.traces?.url).toBe(traces)
  })

  it("set intervals, in milliseconds", () => {
    const { settings } = read({
      OTEL_BSP_SCHEDULE_DELAY: "1",
      OTEL_BLRP_SCHEDULE_DELAY: "2",
      OTEL_METRIC_EXPORT_INTERVAL: "3"
    })
    expect(settings).toMatchObject({ intervals: { traces: 1, logs: 2, metrics: 3 } })
  })

  it("set protocol and time limit of all signals, and those of one signal before these", () => {
    const general = { OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf", OTEL_EXPORTER_OTLP_TIMEOUT: "4" }
    const { problems, settings } = read({
      ...general,
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "HTTP/JSON",
      OTEL_EXPORTER_OTLP_LOGS_TIMEOUT: "5"
    })
    expect(problems).toEqual([])
    expect(settings?.targets).toMatchObject({
      traces: { protocol: "http/json", timeout: 4 },
      metrics: { protocol: "http/protobuf", timeout: 4 },
      logs: { protocol: "http/protobuf", timeout: 5 }
    })
  })

  it("leave a signal with what is set for all where its own value cannot be used", () => {
    const { problems, settings } = read({
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "grpc",
      OTEL_EXPORTER_OTLP_TIMEOUT: "4",
      OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: "never"
    })
    expect(problems).toHaveLength(2)
    expect(settings?.targets.metrics).toMatchObject({ protocol: "http/protobuf", timeout: 4 })
  })

  const bad: ReadonlyArray<readonly [name: string, value: string, problem: RegExp]> = [
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", /"localhost:4318".*http or https/],
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "nowhere", /"nowhere"/],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", /"grpc".*http\/json or http\/protobuf/],
    ["OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grpc", /"grpc".*http\/json or http\/protobuf/],
    ["OTEL_EXPORTER_OTLP_TIMEOUT", "soon", /"soon".*milliseconds/],
    ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "soon", /"soon".*milliseconds/],
    ["OTEL_BSP_SCHEDULE_DELAY", "0", /"0"/],
    ["OTEL_METRIC_EXPORT_INTERVAL", "-1", /"-1"/],
    ["OTEL_TRACES_EXPORTER", "zipkin", /"zipkin".*otlp or none/],
    ["OTEL_SDK_DISABLED", "yes", /"yes".*false or true/],
    ["OTEL_RESOURCE_ATTRIBUTES", "no pairs", /NAME=VALUE/],
    ["OTEL_EXPORTER_OTLP_HEADERS", "a=%ZZ", /NAME=VALUE/]
  ]
  for (const [name, value, problem] of bad)
    it(`count as not set where ${name} is ${value}, with one line that says so`, () => {
      const { problems, settings } = read({ [name]: value })
      expect(problems).toEqual([expect.stringMatching(new RegExp(`^${name} is .*${problem.source}`))])
      expect(problems.join()).not.toContain("\n")
      expect(settings).toEqual(name === "OTEL_EXPORTER_OTLP_ENDPOINT" ? undefined : read({}).settings)
    })

  it("never repeat the value of a header, which may be secret", () => {
    expect(read({ OTEL_EXPORTER_OTLP_HEADERS: "authorization Bearer abc" }).problems.join()).not.toContain("abc")
  })
})
