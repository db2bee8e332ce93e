/** What a daemon and `charlotte run` export, as a receiver decodes it. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import * as Charlotte from "../cli/process/Charlotte.js"
import * as Daemon from "../cli/process/Daemon.js"
import * as Tasks from "../cli/process/Tasks.js"
import { send } from "../http/requests.js"
import { task, unit } from "../tasks/Jobs.js"
import * as Receiver from "./Receiver.js"

const variables = ({ url }: Pick<Receiver.Receiver, "url">) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_BSP_SCHEDULE_DELAY: "100",
  OTEL_BLRP_SCHEDULE_DELAY: "100",
  OTEL_METRIC_EXPORT_INTERVAL: "200"
})

/** That of the request. */
const request = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" }
const traceparent = `00-${request.traceId}-${request.spanId}-01`

/**
 * The first task passes at once. The agent of the second waits in its first call until it is killed, reaches its usage limit in
 * the second, and works in the third.
 */
const agent = (root: string) => `
cat > /dev/null
echo "$TRACEPARENT" >> '${root}/agents'
n=$(wc -l < '${root}/agents')
case $n in
  2) touch '${root}/reached'; sleep 1000 ;;
  3) printf '{"type":"result","subtype":"success","is_error":true,"result":"Claude AI usage limit reached|%s"}\\n' "$(($(date +%s) + 2))"; exit 1 ;;
esac
date +%N > "made-$n"
`

const configuration = (root: string) => `
agents:
  standin:
    command: [sh, "${root}/agent.sh"]
    format: claude-stream-json
`

const gate = (root: string, name: string) => `echo "$TRACEPARENT" >> '${root}/gates'; ls ${name}`

const world = Effect.tap(
  Charlotte.world((root) => ({
    "charlotte.yaml": "agent: standin\nattempts: 1\n",
    "api/IMPLEMENTATION_PLAN.md": unit(),
    "api/01-one.md": task(1, ":", gate(root, "made-1")),
    "api/02-two.md": task(2, ":", gate(root, "made-4"), [1])
  })),
  ({ home, root }) =>
    Effect.sync(() => {
      mkdirSync(home, { recursive: true, mode: 0o700 })
      writeFileSync(`${root}/agent.sh`, agent(root))
      writeFileSync(`${home}/config.yaml`, configuration(root))
    })
)

const submit = ({ home, repository }: Charlotte.World) =>
  send(
    { socketPath: `${home}/socket` },
    {
      method: "POST",
      path: "/api/v1/jobs",
      headers: { "content-type": "application/json", traceparent, "idempotency-key": "key-of-the-client" },
      body: JSON.stringify({ repoPath: repository, tasksDir: "tasks", targetBranch: "main" })
    }
  )

const linesOf = (path: string) => readFileSync(path, "utf8").trim().split("\n")

/** The trace contexts that agents and gates have seen. */
const seenIn = ({ root }: Charlotte.World) => [...linesOf(`${root}/agents`), ...linesOf(`${root}/gates`)]

/** The contexts of agents and gates whose spans were not exported. */
const unexported = (seen: ReadonlyArray<string>, { spans }: Receiver.Receiver) => {
  const ids = new Set(spans.filter(({ name }) => name === "agent" || name === "gate").map(({ spanId }) => spanId))
  return seen.filter((line) => !ids.has(line.split("-")[2] ?? ""))
}

describe("a daemon with OTEL_EXPORTER_OTLP_ENDPOINT", () => {
  it.scopedLive(
    "exports one trace per job over kill -9 and a park, linked to the request, and its metrics and logs",
    () =>
      Effect.gen(function* () {
        const receiver = yield* Receiver.make()
        const here = yield* world
        const options = {
          variables: { ...variables(receiver), OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test" }
        }
        const first = yield* Daemon.up(here, options)
        const submitted = yield* submit(here)
        expect(submitted.status, submitted.text).toBe(201)
        yield* Tasks.reached(here)
        // All but the agent that is at work now.
        yield* Receiver.until(() => unexported(seenIn(here), receiver).length === 1)
        yield* Daemon.kill(first.pid, "SIGKILL")
        yield* Daemon.gone(first.pid)

        yield* Daemon.up(here, options)
        const of = (name: string) => receiver.spans.filter((span) => span.name === name)
        yield* Receiver.until(() => Receiver.latest(receiver, "cicd.pipeline.run.duration").length > 0)
        yield* Receiver.until(() =>
          of("job").some(({ attributes }) => Receiver.attributes({ attributes })["attempt"] === 3)
        )
        yield* Daemon.down(here)
        expect(receiver.errors).toEqual([])

        const jobs = of("job")
        // The span of the first attempt was lost with its process.
        expect(jobs.map((job) => Receiver.attributes(job)["attempt"])).toEqual([2, 3])
        const [{ traceId } = expect.fail("no span of a job")] = jobs
        for (const job of jobs) {
          expect(job.parentSpanId ?? "").toBe("")
          expect(job.links).toEqual([request])
        }
        const trace = receiver.spans.filter((span) => span.traceId === traceId)
        expect(trace.map(({ name }) => name)).toEqual(
          expect.arrayContaining(["job", "unit", "task", "attempt", "agent", "gate"])
        )
        for (const name of ["job", "unit", "task", "attempt", "agent", "gate", "merge"])
          expect(new Set(of(name).map((span) => span.traceId))).toEqual(new Set([traceId]))
        // job → unit → task → attempt → gate
        const last = trace.findLast(({ name }) => name === "gate")
        const path = function* (span: Receiver.Span | undefined): Generator<string> {
          for (let at = span; at !== undefined; at = trace.find(({ spanId }) => spanId === at?.parentSpanId))
            yield at.name
        }
        expect([...path(last)]).toEqual(["gate", "attempt", "task", "unit", "job"])
        expect(trace.flatMap(({ events }) => events.map(({ name }) => name))).toEqual(
          expect.arrayContaining(["git.reopenWorktree", "git.commit", "git.merge"])
        )
        // The request is a trace of its own, in that of its client.
        const server = receiver.spans.find(
          ({ name, traceId }) => name === "http.server POST" && traceId === request.traceId
        )
        expect(server?.parentSpanId).toBe(request.spanId)
        expect(receiver.text()).not.toContain("key-of-the-client")

        const seen = seenIn(here)
        // Each gate has run once before the work, too.
        expect(seen).toHaveLength(8)
        for (const line of seen) expect(line).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))
        // That of the agent that was killed with the daemon was never exported.
        expect(unexported(seen, receiver)).toHaveLength(1)

        const durations = Receiver.latest(receiver, "cicd.pipeline.run.duration").map(Receiver.attributes)
        expect(durations).toContainEqual(
          expect.objectContaining({
            "cicd.pipeline.name": "tasks",
            "cicd.pipeline.run.state": "executing",
            "cicd.pipeline.result": "success"
          })
        )
        const names = new Set(receiver.metrics.map(({ name }) => name))
        for (const name of [
          "cicd.pipeline.run.active",
          "cicd.worker.count",
          "charlotte_queue_depth",
          "charlotte_jobs_active"
        ])
          expect(names).toContain(name)
        expect(Receiver.latest(receiver, "charlotte_agent_turns_total").map(Receiver.attributes)).toContainEqual({
          class: "usageLimit"
        })
        expect(receiver.metrics.find(({ name }) => name === "cicd.pipeline.run.duration")?.unit).toBe("s")
        const ended = receiver.logs.find(({ body }) => body.stringValue === "job.completed")
        expect(ended && Receiver.attributes(ended)["jobId"]).toBe(JSON.parse(submitted.text).id)
        expect(receiver.resources[0]).toMatchObject({
          "service.name": "charlotte",
          "deployment.environment.name": "test"
        })
      }),
    300_000
  )
})
