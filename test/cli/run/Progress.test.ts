import { describe, expect, it } from "@effect/vitest"
import * as Progress from "../../../src/cli/run/Progress.js"
import { events, noon, type Step, started, step, steps } from "./scenario.js"

/** The state after all steps up to a second. */
const after = (list: ReadonlyArray<Step>, second = Infinity) =>
  events(list.filter(({ at }) => at <= second)).reduce(Progress.reduce, Progress.initial)

const unit = (progress: Progress.Progress, id: string) => progress.units.get(id) ?? expect.fail(`no unit ${id}`)

const scenario = steps("/logs/gate.log")

describe("job progress", () => {
  it("has activity, duration and task of each unit", () => {
    const at = (second: number, id: string) => {
      const { phase, since, state, task } = unit(after(scenario, second), id)
      return `${state} ${phase} ${task ?? "-"} ${(since - noon) / 1000}`
    }
    expect(at(0, "silk")).toBe("running starting - 0")
    expect(at(1, "silk")).toBe("running setup - 1")
    expect(at(2, "silk")).toBe("running agent 1 2")
    expect(at(5, "silk")).toBe("running gate 1 2")
    expect(at(12, "silk")).toBe("running pause 2 12")
    expect(at(13, "silk")).toBe("running agent 2 13")
    expect(at(17, "silk")).toBe("failed gate 2 13")
    expect(at(0, "barn")).toBe("pending starting - 0")
    expect(at(8, "words")).toBe("running waits - 7")
    expect(at(18, "words")).toBe("running verify - 7")
    expect(at(20, "words")).toBe("merged verify - 7")
    expect(at(20, "barn")).toBe("blocked starting - 0")
  })

  it("tells a slow agent, and a unit that waits for its agent", () => {
    const list = [
      ...scenario.filter(({ at }) => at <= 2),
      step(3, "silk 1", "task.agent.slow", { reason: "has been running for 48m, and is ended after 1h" }),
      step(4, "silk", "unit.waiting", { reason: "claude is at its usage limit" })
    ]
    expect([3, 4].map((second) => unit(after(list, second), "silk").phase)).toEqual(["slow", "limit"])
  })

  it("has nothing that is running once the job has parked, or was interrupted or stopped, until it goes on", () => {
    const shown = (...more: ReadonlyArray<Step>) => {
      const { state, tasks } = unit(after([...scenario.filter(({ at }) => at <= 5), ...more]), "silk")
      return [state, ...[...tasks.values()].map(({ state }) => state)]
    }
    const parked = { at: 6, type: "job.parked", payload: { reason: "the limit" } }
    expect(shown()).toEqual(["running", "running", "pending"])
    expect(shown(parked)).toEqual(["waiting", "waiting", "pending"])
    expect(shown({ at: 6, type: "job.interrupted", payload: { reason: "shutdown" } })).toEqual([
      "interrupted",
      "interrupted",
      "pending"
    ])
    expect(shown({ at: 6, type: "job.cancelled" })).toEqual(["interrupted", "interrupted", "pending"])
    const resumed = { at: 7, type: "job.resumed", payload: { attempt: 2 } }
    const [first] = scenario.filter(({ type }) => type === "orch.started")
    expect(shown(parked, resumed, { ...(first ?? resumed), at: 8 })).toEqual(["pending", "pending", "pending"])
  })

  it("counts the attempts of a task", () => {
    expect(unit(after(scenario, 8), "silk").tasks.get(2)?.attempt).toBe(1)
    expect(unit(after(scenario, 13), "silk").tasks.get(2)?.attempt).toBe(2)
  })

  it("counts tasks by state", () => {
    expect(Progress.counts(after(scenario, 0))).toEqual({ total: 5, done: 0, failed: 0, skipped: 1 })
    expect(Progress.counts(after(scenario, 7))).toEqual({ total: 5, done: 2, failed: 0, skipped: 1 })
    expect(Progress.counts(after(scenario))).toEqual({ total: 5, done: 2, failed: 1, skipped: 1 })
  })

  it("has the log of the latest failure until the task succeeds or the unit ends", () => {
    const failing = (second: number) => {
      const found = Progress.failing(after(scenario, second))
      return found && `${found.unit.id} ${found.failing.what} ${found.failing.log?.file}`
    }
    expect([11, 12, 13, 16].map(failing)).toEqual([
      undefined,
      "silk gate /logs/gate.log",
      "silk gate /logs/gate.log",
      "silk gate /logs/gate.log"
    ])
    expect([17, 20].map(failing)).toEqual([undefined, undefined])

    const log = { file: "/logs/b", from: 0, to: 1 }
    const two = [
      started(0),
      step(1, "silk 1", "task.started", { title: "a", attempt: 1 }),
      step(1, "words 2", "task.started", { title: "b", attempt: 1 }),
      step(2, "silk 1", "task.gate.failed", { command: "x", reason: "r", log }),
      step(3, "words 2", "task.agent.ended", { reason: "ended with exit code 1", log })
    ]
    expect(Progress.failing(after(two))?.unit.id).toBe("words")
    const passed = [...two, step(4, "words 2", "task.gate.passed", { command: "x", log })]
    expect(Progress.failing(after(passed))?.unit.id).toBe("silk")
  })

  it("follows the status of the job", () => {
    const { landing, startedAt, status, target } = after(scenario)
    expect({ landing, startedAt, status, target }).toEqual({
      landing: false,
      startedAt: noon,
      status: "failed",
      target: "main"
    })
    const landing2 = [...scenario.slice(0, 5), step(30, "", "orch.landing", { target: "main", attempt: 1 })]
    expect(after(landing2).landing).toBe(true)
    expect(after([...landing2, { at: 31, type: "job.interrupted" }])).toMatchObject({
      landing: false,
      status: "interrupted"
    })
  })

  it("continues after a resume and restarts interrupted tasks", () => {
    const resumed = after([
      ...scenario.filter(({ at }) => at <= 8),
      { at: 30, type: "job.interrupted" },
      { at: 40, type: "job.resumed" },
      started(40)
    ])
    expect(resumed.status).toBe("running")
    expect(Progress.counts(resumed)).toEqual({ total: 5, done: 2, failed: 0, skipped: 1 })
    expect(unit(resumed, "silk")).toMatchObject({ state: "pending", task: undefined })
    const merged = after([...scenario, { at: 40, type: "job.resumed" }, started(40)])
    expect([...merged.units.values()].map(({ state }) => state)).toEqual(["failed", "merged", "blocked"])
  })

  it("ignores unknown events, also of other versions", () => {
    const before = after(scenario, 8)
    const strange: ReadonlyArray<Step> = [
      { at: 9, type: "unit.exploded", unit: "silk", payload: { loudly: true } },
      { at: 9, type: "task.started", unit: "silk", task: 2, payload: { title: 7 } },
      { at: 9, type: "task.started", unit: "silk", task: 2 },
      { at: 9, type: "orch.started", payload: "nothing" },
      { at: 9, type: "unit.merged", payload: { commit: "x", fastForward: true } }
    ]
    expect(events(strange).reduce(Progress.reduce, before)).toEqual(before)
  })

  it("accepts a unit that was not planned", () => {
    const late = after([step(5, "moon 3", "task.started", { title: "Late", attempt: 2 })])
    expect(unit(late, "moon")).toMatchObject({ state: "running", task: 3 })
    expect(Progress.counts(late).total).toBe(1)
  })
})
