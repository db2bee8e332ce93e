/** What `charlotte run` exports in the foreground, and that a collector does it no harm. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, readdirSync, readFileSync } from "node:fs"
import * as Charlotte from "../cli/process/Charlotte.js"
import { task, unit } from "../tasks/Jobs.js"
import * as Receiver from "./Receiver.js"

const secret = "correct-horse-battery-staple"

const world = Charlotte.world(() => ({
  "charlotte.yaml": "agent: script\nattempts: 1\n",
  "api/IMPLEMENTATION_PLAN.md": unit(),
  "api/01-one.md": task(1, "echo one > one", "ls one").replace("# Task 1", `# Task of ${secret}`)
}))

const run = (here: Charlotte.World, variables: Readonly<Record<string, string>>) =>
  Charlotte.run(here, "exec charlotte run tasks", { variables: { DEPLOY_TOKEN: secret, ...variables } })

/** The files of the command that a process has loaded. */
const loaded = (here: Charlotte.World, variables: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const coverage = `${here.root}/coverage`
    mkdirSync(coverage)
    const { code } = yield* run(here, { ...variables, NODE_V8_COVERAGE: coverage })
    expect(code).toBe(0)
    const files = readdirSync(coverage).map((name) => readFileSync(`${coverage}/${name}`, "utf8"))
    return files.flatMap((report) => [...report.matchAll(/"url":"file:[^"]*\/([^/"]+)"/g)].map(([, name]) => name))
  })

const protocols = [
  { protocol: "http/json", variables: {}, contentTypes: ["application/json"] },
  {
    protocol: "http/protobuf, with logs as http/json",
    variables: { OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf", OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: "http/json" },
    contentTypes: ["application/json", "application/x-protobuf"]
  }
]

describe("charlotte run with OTEL_EXPORTER_OTLP_ENDPOINT", () => {
  for (const { contentTypes, protocol, variables } of protocols)
    it.scopedLive(
      `exports all of it before it ends, redacted, in a trace that is linked to TRACEPARENT, as ${protocol}`,
      () =>
        Effect.gen(function* () {
          const receiver = yield* Receiver.make()
          const here = yield* world
          const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" }
          const { code, err } = yield* run(here, {
            OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
            OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%20key",
            OTEL_SERVICE_NAME: "builder",
            ...variables,
            // Nothing is sent but at the end.
            OTEL_BSP_SCHEDULE_DELAY: "600000",
            OTEL_BLRP_SCHEDULE_DELAY: "600000",
            OTEL_METRIC_EXPORT_INTERVAL: "600000",
            TRACEPARENT: `00-${span.traceId}-${span.spanId}-01`
          })
          expect([code, err]).toEqual([0, ""])
          expect(receiver.errors).toEqual([])
          expect(receiver.headers.map((headers) => headers["api-key"])).toEqual(receiver.headers.map(() => "a key"))
          expect(new Set(receiver.headers.map((headers) => headers["content-type"]))).toEqual(new Set(contentTypes))
          expect(receiver.resources.map((resource) => resource["service.name"])).toEqual(
            receiver.resources.map(() => "builder")
          )
          const job = receiver.spans.find(({ name }) => name === "job")
          expect(job?.links).toEqual([span])
          const inTrace = receiver.spans.filter(({ traceId }) => traceId === job?.traceId).map(({ name }) => name)
          expect(inTrace).toEqual(expect.arrayContaining(["job", "unit", "task", "attempt", "agent", "gate", "merge"]))
          const ended = Receiver.latest(receiver, "cicd.pipeline.run.duration").map(Receiver.attributes)
          expect(ended).toContainEqual(
            expect.objectContaining({ "cicd.pipeline.run.state": "executing", "cicd.pipeline.result": "success" })
          )
          const [logged] = receiver.logs.filter(({ body }) => body.stringValue === "job.completed")
          expect(logged && Receiver.attributes(logged)["jobId"]).toBe(job && Receiver.attributes(job)["jobId"])
          expect(receiver.text()).toContain("Task of [redacted]")
          expect(receiver.text()).not.toContain(secret)
        }),
      300_000
    )

  it.scopedLive(
    "names a variable that cannot be used in one line, and runs",
    () =>
      Effect.gen(function* () {
        const here = yield* world
        const { code, err } = yield* run(here, { OTEL_EXPORTER_OTLP_ENDPOINT: "localhost:4318" })
        expect([code, err]).toEqual([
          0,
          'charlotte: OTEL_EXPORTER_OTLP_ENDPOINT is "localhost:4318", which cannot be used; use an http or https address, such as http://localhost:4318\n'
        ])
      }),
    300_000
  )

  it.scopedLive(
    "completes and ends although the collector never answers, or is not there",
    () =>
      Effect.gen(function* () {
        const receiver = yield* Receiver.make({ hangs: true })
        // Only the limit on the last export ends the process in time: each request may take ten minutes.
        const patient = { OTEL_EXPORTER_OTLP_TIMEOUT: "600000" }
        const here = yield* world
        const first = yield* run(here, { ...patient, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
        expect([first.code, first.err]).toEqual([0, ""])
        expect(receiver.spans.map(({ name }) => name)).toContain("job")
        const second = yield* run(here, { ...patient, OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" })
        expect([second.code, second.err]).toEqual([0, ""])
      }),
    300_000
  )

  it.scopedLive(
    "is what loads the exporters: without it none of them is",
    () =>
      Effect.gen(function* () {
        const isExporter = expect.stringMatching(/^Otlp-/)
        expect(yield* loaded(yield* world, {})).not.toContainEqual(isExporter)
        const receiver = yield* Receiver.make()
        expect(yield* loaded(yield* world, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })).toContainEqual(isExporter)
      }),
    300_000
  )
})
