import { describe, expect, it } from "@effect/vitest"
import { activity, failing } from "../../src/progress/activity.js"
import { countTasks } from "../../src/progress/JobModel.js"
import { modelOf, noon, type Step, started, step, steps } from "../cli/run/scenario.js"

const scenario = steps("/logs/gate.log")

/** The state after all steps up to a second. */
const after = (list: ReadonlyArray<Step>, second = Infinity) => modelOf(list.filter(({ at }) => at <= second))

type Model = ReturnType<typeof after>

const unit = (model: Model, id: string) => model.units.get(id) ?? expect.fail(`no unit ${id}`)

describe("the activity of a unit", () => {
  it("has its task, what that does, and since when", () => {
    const at = (second: number, id: string) => {
      const found = unit(after(scenario, second), id)
      const { since, span, task } = activity(found)
      return `${found.state} ${span?.kind ?? "-"} ${task?.number ?? "-"} ${(since - noon) / 1000}`
    }
    expect(at(0, "silk")).toBe("running - - 0")
    expect(at(1, "silk")).toBe("running setup - 1")
    expect(at(2, "silk")).toBe("running agent 1 2")
    expect(at(5, "silk")).toBe("running gate 1 2")
    expect(at(12, "silk")).toBe("running pause 2 12")
    expect(at(13, "silk")).toBe("running agent 2 13")
    expect(at(17, "silk")).toBe("failed - - 17")
    expect(at(8, "words")).toBe("running - - 7")
    expect(at(18, "words")).toBe("running verifying - 18")
    expect(at(20, "words")).toBe("merged - - 20")
    expect(unit(after(scenario, 20), "barn").state).toBe("blocked")
  })

  it("shows a slow agent, and a unit that waits for its agent", () => {
    const list = [
      ...scenario.filter(({ at }) => at <= 2),
      step(3, "silk 1", "task.agent.slow", { reason: "has been running for 48m, and is ended after 1h" }),
      step(4, "silk", "unit.waiting", { reason: "claude is at its usage limit" })
    ]
    const at = (second: number) => activity(unit(after(list, second), "silk")).span
    expect(at(3)).toMatchObject({ kind: "agent", isSlow: true })
    expect(at(4)).toMatchObject({ kind: "waiting", from: noon + 4_000 })
  })

  it("starts over after a resume, and keeps the state of finished units and tasks", () => {
    const resumed = after([
      ...scenario.filter(({ at }) => at <= 8),
      { at: 30, type: "job.interrupted" },
      { at: 40, type: "job.resumed" },
      started(40)
    ])
    expect(resumed.status).toBe("running")
    expect(countTasks(resumed)).toMatchObject({ pending: 2, completed: 2, failed: 0, skipped: 1 })
    expect(unit(resumed, "silk").state).toBe("pending")
    expect(activity(unit(resumed, "silk")).task).toBeUndefined()
    const merged = after([...scenario, { at: 40, type: "job.resumed" }, started(40)])
    expect([...merged.units.values()].map(({ state }) => state)).toEqual(["failed", "merged", "blocked"])
  })
})

describe("the latest failure of a running unit", () => {
  it("has its log until the task succeeds or the unit ends", () => {
    const failure = (second: number) => {
      const found = failing(after(scenario, second))
      return found && `${found.unit.id} ${found.span.kind} ${found.span.log?.file}`
    }
    const gate = "silk gate /logs/gate.log"
    expect([11, 12, 13, 16].map(failure)).toEqual([undefined, gate, gate, gate])
    expect([17, 20].map(failure)).toEqual([undefined, undefined])

    const log = { file: "/logs/b", from: 0, to: 1 }
    const two = [
      started(0),
      step(1, "silk 1", "task.started", { title: "a", attempt: 1 }),
      step(1, "words 2", "task.started", { title: "b", attempt: 1 }),
      step(2, "silk 1", "task.gate.started", { command: "x", log: "/logs/b" }),
      step(2, "silk 1", "task.gate.failed", { command: "x", reason: "r", log }),
      step(3, "words 2", "task.agent.started", { agent: "a", log: "/logs/b" }),
      step(3, "words 2", "task.agent.ended", { reason: "ended with exit code 1", log })
    ]
    expect(failing(after(two))?.unit.id).toBe("words")
    const passed = [
      ...two,
      step(4, "words 2", "task.gate.started", { command: "x", log: "/logs/b" }),
      step(4, "words 2", "task.gate.passed", { command: "x", log })
    ]
    expect(failing(after(passed))?.unit.id).toBe("silk")
  })

  it("is that of a setup command until it passes", () => {
    const setup = (at: number, attempt: number) =>
      step(at, "silk", "unit.setup.started", { command: "npm ci", attempt })
    const failed = step(2, "silk", "unit.setup.failed", { command: "npm ci", attempt: 1, reason: "exited with code 1" })
    const list = [started(0), step(0, "silk", "unit.started", {}), setup(1, 1), failed, setup(3, 2)]
    expect(failing(after(list, 2))?.span).toMatchObject({ kind: "setup", reason: "exited with code 1" })
    expect(failing(after(list))).toBeUndefined()
  })
})

describe("the state of a job", () => {
  it("is landing until it has landed, or its attempt ends", () => {
    const landing = [...scenario.slice(0, 5), step(30, "", "orch.landing", { target: "main", attempt: 1 })]
    expect(after(landing).landing).toBe("main")
    expect(after([...landing, { at: 31, type: "job.interrupted" }])).toMatchObject({
      landing: undefined,
      status: "interrupted"
    })
    const landed = after([...landing, step(31, "", "orch.landed", { target: "main", commit: "c" })])
    expect(landed).toMatchObject({ landing: undefined, landed: "main" })
  })

  it("accepts a unit that was not planned", () => {
    const late = after([step(5, "moon 3", "task.started", { title: "Late", attempt: 2 })])
    expect(unit(late, "moon").state).toBe("running")
    expect(activity(unit(late, "moon")).task).toMatchObject({ number: 3, title: "Late" })
  })
})
