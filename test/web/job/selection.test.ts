import { describe, expect, it } from "@effect/vitest"
import { ofEvents } from "../../../src/progress/applyEvent.js"
import { make } from "../../../src/progress/JobModel.js"
import { logNameOf, parse, select } from "../../../src/web/job/selection.js"
import { at, attempt, events, plan, type Spec } from "./events.js"

const begin: ReadonlyArray<Spec> = [
  [0, "job.started", { attempt: 1 }],
  [0, "orch.started", plan({ api: [], web: [], docs: [] })]
]

const select_ = (specs: ReadonlyArray<Spec>, query = "") =>
  select(ofEvents(events(...begin, ...specs)), parse(new URLSearchParams(query)))

const running = attempt(5, 1, "web", true).slice(0, 2)

describe("what is shown of a job", () => {
  it("is by itself the failed task, else the running one, else the last", () => {
    const done: ReadonlyArray<Spec> = [...attempt(1, 1, "api", true), [9, "task.completed", { commit: "x" }, "api", 1]]
    const failed: ReadonlyArray<Spec> = [
      ...attempt(1, 1, "docs", false),
      [9, "task.failed", { attempts: 1, reason: "gate" }, "docs", 1]
    ]
    expect(select_([])).toMatchObject({ unit: { id: "api" }, attemptNumber: 0, span: undefined, isAutomatic: true })
    expect(select_(done)).toMatchObject({ unit: { id: "api" }, span: { kind: "gate" } })
    expect(select_([...done, ...running])).toMatchObject({ unit: { id: "web" }, span: { kind: "agent" } })
    expect(select_([...failed, ...running])).toMatchObject({ unit: { id: "docs" }, span: { kind: "gate" } })
    const log = { file: "/logs/setup.log", from: 0, to: 3 }
    expect(
      select_([
        [1, "unit.setup.started", { command: "npm ci", attempt: 1 }, "docs"],
        [2, "unit.setup.failed", { command: "npm ci", attempt: 1, reason: "exited with 1", log }, "docs"],
        [2, "unit.failed", { reason: "setup" }, "docs"],
        ...running
      ])
    ).toMatchObject({ unit: { id: "docs" }, span: { kind: "setup", log } })
  })

  it("is what the address says", () => {
    const specs: ReadonlyArray<Spec> = [
      ...attempt(1, 1, "api", false),
      [10, "task.retry", { attempt: 1, reason: "gate", pause: 0 }, "api", 1],
      ...attempt(11, 2, "api", true),
      ...running
    ]
    expect(select_(specs, "unit=api")).toMatchObject({ task: { number: 1 }, attemptNumber: 2, isAutomatic: false })
    expect(select_(specs, "unit=api&task=1&attempt=1")).toMatchObject({
      attemptNumber: 1,
      attempt: { state: "failed" }
    })
    expect(select_(specs, "unit=api&attempt=1&log=agent")).toMatchObject({ span: { kind: "agent", log: { to: 10 } } })
    expect(select_(specs, "unit=docs")).toMatchObject({ unit: { id: "docs" }, attemptNumber: 0, span: undefined })
  })

  it("has the log of the gate before any work beside that of the gate, of its own task only", () => {
    const before = (second: number, task: number): Spec => [
      second,
      "task.gate.before",
      { command: "npm test", log: `/logs/${task}.before.log` },
      "api",
      task
    ]
    const specs: ReadonlyArray<Spec> = [before(1, 2), before(2, 1), before(3, 1), ...attempt(4, 1, "api", true)]
    const found = select_(specs, "unit=api&task=1")
    expect(found?.logs.map(logNameOf)).toEqual(["before", "agent", "gate"])
    expect(found).toMatchObject({ span: { from: at(4 + 5), kind: "gate" } })
    expect(select_(specs, "unit=api&task=1&log=before")).toMatchObject({ span: { from: at(3), before: 1 } })
    expect(select_(specs, "unit=api&task=1&log=gate")).toMatchObject({ span: { from: at(4 + 5) } })
  })

  it("falls back on what there is where the address is wrong", () => {
    expect(select_(running, "unit=gone&task=7&attempt=9")).toMatchObject({ unit: { id: "web" }, isAutomatic: true })
    expect(select_(running, "unit=web&task=7&attempt=99&log=x")).toMatchObject({
      task: { number: 1 },
      attemptNumber: 1
    })
    expect(parse(new URLSearchParams("task=-1&attempt=1e3&log=constructor"))).toEqual({})
    expect(select(make(), {})).toBeUndefined()
  })
})
