import { describe, expect, it } from "@effect/vitest"
import { Step } from "charlotte/testing"
import { Effect, Metric, MetricBoundaries, Stream } from "effect"
import * as Prometheus from "../../../src/http/server/prometheusText.js"
import type { Cost } from "../../../src/domain/Cost.js"
import { config } from "../../support/jobs.js"
import * as eventSource from "../eventSource.js"
import * as World from "../world.js"

/** Every sample by its name with its labels. */
const samples = (world: World.Scripted) =>
  Effect.map(world.send({ path: "/metrics" }), ({ headers, status, text }) => {
    expect(status).toBe(200)
    expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8")
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))])
    )
  })

/** How much a counter has grown. Those of other tests in the process are the same. */
const growth = (before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>, name: string): number =>
  (after.get(name) ?? 0) - (before.get(name) ?? 0)

describe("/metrics", () => {
  it.scopedLive("counts job starts, ends and events, and shows current gauges", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxJobs: 4 })
      const { send } = World.script(world)
      const before = yield* samples(world)
      const grown = (name: string) => Effect.map(samples(world), (after) => growth(before, after, name))

      const [completed, failed, , running] = yield* Effect.replicateEffect(world.bySocket.start(config), 4)
      if (completed === undefined || failed === undefined || running === undefined) return
      yield* send(completed, Step.emit({ type: "one" }), Step.emit({ type: "two" }), Step.succeed(1))
      yield* send(failed, Step.fail("no"))
      yield* world.bySocket.stop(running)
      for (const id of [completed, failed]) yield* Stream.runDrain(world.bySocket.events(id))
      yield* eventSource.open({ socketPath: world.socket }, "/events")

      // 4 started, 2 emitted, 1 stopping, 3 ended; they are counted as they come by.
      yield* Effect.repeat(grown("charlotte_events_total"), { until: (grown) => grown === 10 })
      const after = yield* samples(world)
      expect(after.get("charlotte_jobs_active")).toBe(1)
      expect(after.get("charlotte_jobs_limit")).toBe(4)
      expect(yield* grown("charlotte_jobs_started_total")).toBe(4)
      for (const status of ["completed", "failed", "cancelled"]) {
        expect(yield* grown(`charlotte_jobs_ended_total{status="${status}"}`)).toBe(1)
      }
      expect(yield* grown("charlotte_start_seconds_count")).toBe(4)
      expect(yield* grown('charlotte_start_seconds_bucket{le="+Inf"}')).toBe(4)
      expect(yield* grown("charlotte_stop_seconds_count")).toBe(1)
      expect(after.get("charlotte_streams")).toBe(1)
      expect(after.get("charlotte_stream_lag_events")).toBe(0)
      expect(after.get('charlotte_event_loop_delay_seconds{of="max"}')).toBeGreaterThanOrEqual(0)
      expect([...after.values()].every((value) => Number.isFinite(value))).toBe(true)

      const name = 'cicd_pipeline_name="tasks"'
      expect(after.get(`cicd_pipeline_run_active{${name},cicd_pipeline_run_state="executing"}`)).toBe(1)
      expect(after.get('cicd_worker_count{cicd_worker_state="busy"}')).toBe(1)
      expect(after.get('cicd_worker_count{cicd_worker_state="available"}')).toBe(3)
      expect(after.get('charlotte_queue_depth{kind="tasks"}')).toBe(0)
      for (const result of ["success", "failure", "cancellation"])
        expect(
          growth(
            before,
            after,
            `cicd_pipeline_run_duration_seconds_count{${name},cicd_pipeline_run_state="executing",cicd_pipeline_result="${result}"}`
          ),
          result
        ).toBe(1)
      expect(growth(before, after, `cicd_pipeline_run_errors_total{${name},error_type="failure"}`)).toBe(1)
    })
  )

  it.scopedLive(
    "has counters at zero before their first event, which an alert on an increase would miss otherwise",
    () =>
      Effect.gen(function* () {
        const found = yield* samples(yield* World.make())
        for (const status of ["completed", "failed", "cancelled"])
          expect(found.has(`charlotte_jobs_ended_total{status="${status}"}`), status).toBe(true)
        for (const kind of ["failure", "defect", "interrupted", "recovery", "gate"])
          expect(
            found.has(`cicd_pipeline_run_errors_total{cicd_pipeline_name="tasks",error_type="${kind}"}`),
            kind
          ).toBe(true)
        for (const kind of ["done", "auth", "usageLimit"])
          expect(found.has(`charlotte_agent_turns_total{class="${kind}"}`), kind).toBe(true)
      })
  )

  it.scopedLive("counts what turns of agents cost", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxJobs: 1 })
      const { send } = World.script(world)
      const before = yield* samples(world)
      const id = yield* world.bySocket.start(config)
      const spent = (agent: string, cost: Cost) =>
        Step.emit({ type: "task.spent", payload: { agent, cost, total: cost } })
      yield* send(
        id,
        spent("claude", { input: 10, cached: 200, output: 3, usd: 0.25 }),
        spent("claude", { input: 1, cached: 0, output: 1, usd: 0.5 }),
        spent("codex", { input: 5, cached: 0, output: 1 }),
        Step.emit({ type: "task.spent", payload: { cost: "whatever an application emits" } }),
        Step.succeed(1)
      )
      yield* Stream.runDrain(world.bySocket.events(id))
      const tokens = (agent: string, kind: string) => `charlotte_agent_tokens_total{agent="${agent}",kind="${kind}"}`
      const after = yield* Effect.repeat(samples(world), {
        until: (found) => growth(before, found, tokens("codex", "output")) === 1
      })
      expect(growth(before, after, 'charlotte_agent_cost_usd_total{agent="claude"}')).toBe(0.75)
      expect(after.has('charlotte_agent_cost_usd_total{agent="codex"}')).toBe(false)
      const kinds = ["input", "cached", "output"]
      expect(kinds.map((kind) => growth(before, after, tokens("claude", kind)))).toEqual([11, 200, 4])
      expect(kinds.map((kind) => growth(before, after, tokens("codex", kind)))).toEqual([5, 0, 1])
    })
  )

  it.scopedLive("counts failed gates, and the turns of agents by how they ended", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxJobs: 1 })
      const { send } = World.script(world)
      const before = yield* samples(world)
      const id = yield* world.bySocket.start(config)
      yield* send(
        id,
        Step.emit({ type: "task.agent.ended", payload: { class: "usageLimit" } }),
        Step.emit({ type: "task.agent.ended", payload: { class: "whatever an application emits" } }),
        Step.emit({ type: "task.gate.failed", payload: {} }),
        Step.succeed(1)
      )
      yield* Stream.runDrain(world.bySocket.events(id))
      const turns = 'charlotte_agent_turns_total{class="usageLimit"}'
      const gates = 'cicd_pipeline_run_errors_total{cicd_pipeline_name="tasks",error_type="gate"}'
      const after = yield* Effect.repeat(samples(world), { until: (found) => growth(before, found, gates) === 1 })
      const ofAgents = [...after.keys()].filter((name) => name.startsWith("charlotte_agent_turns_total"))
      expect(ofAgents.filter((name) => growth(before, after, name) > 0)).toEqual([turns])
      expect(growth(before, after, turns)).toBe(1)
    })
  )
})

describe("Prometheus text format", () => {
  it("escapes labels and help texts", () => {
    const about = { name: "a", help: "back\\slash\nline" }
    expect(
      Prometheus.gauge(about, { labels: { of: 'a "quoted" \\ \n' }, value: 1.5 }, { value: NaN }, { value: -Infinity })
    ).toBe('# HELP a back\\\\slash\\nline\n# TYPE a gauge\na{of="a \\"quoted\\" \\\\ \\n"} 1.5\na NaN\na -Inf\n')
  })

  it.effect("has cumulative histogram buckets", () =>
    Effect.gen(function* () {
      const metric = Metric.histogram("test_of_prometheus", MetricBoundaries.fromIterable([1, 2]))
      yield* Effect.forEach([0.5, 1.5, 1.7, 9], (value) => Metric.update(metric, value))
      expect(Prometheus.histogram({ name: "h", help: "H" }, { state: yield* Metric.value(metric) })).toBe(
        [
          "# HELP h H",
          "# TYPE h histogram",
          'h_bucket{le="1"} 1',
          'h_bucket{le="2"} 3',
          'h_bucket{le="+Inf"} 4',
          "h_sum 12.7",
          "h_count 4",
          ""
        ].join("\n")
      )
    })
  )
})
