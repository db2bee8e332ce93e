import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc, Schema } from "effect"
import stringWidth from "string-width"
import * as StyledLine from "../../../src/cli/terminal/StyledLine.js"
import * as PlanTree from "../../../src/cli/show/PlanTree.js"
import { AgentChoice } from "../../../src/tasks/plan/AgentChoice.js"
import { Plan, Task, Unit } from "../../../src/tasks/plan/Plan.js"
import { UnitName } from "../../../src/yaml/fields.js"
import * as Settings from "../../../src/tasks/plan/Settings.js"
import { forbidden, hostile } from "../hostile.js"

const task = (number: number, title: string, more: Partial<Task> = {}) =>
  new Task(
    {
      number,
      title,
      status: "pending",
      backpressure: `test -f ${number}.txt`,
      dependsOn: [],
      file: `tasks/0${number}.md`,
      prompt: "",
      scripts: [],
      sha256: "",
      ...more
    },
    { disableValidation: true }
  )

const unitName = Schema.decodeSync(UnitName)

const unit = (id: string, dependsOn: ReadonlyArray<string>, tasks: ReadonlyArray<Task>) =>
  new Unit({
    id: unitName(id),
    dir: `tasks/${id}`,
    dependsOn: dependsOn.map((id) => unitName(id)),
    planText: undefined,
    tasks
  })

const plan = (units: ReadonlyArray<Unit>) =>
  new Plan({ dir: "tasks", files: [], units, settings: Settings.defaults }, { disableValidation: true })

const diamond = plan([
  unit("base", [], [task(1, "Lay the ground", { status: "complete" }), task(2, "Draw the lines", { dependsOn: [1] })]),
  unit("done", [], [task(1, "Was there before", { status: "complete" })]),
  unit("left", ["base"], [task(1, "Go left", { status: "in_progress" })]),
  unit("right", ["base", "done"], [task(1, "Go right"), task(2, "Go on", { status: "failed", dependsOn: [1] })]),
  unit("top", ["left", "right"], [task(1, "Put the roof on it", { backpressure: "npm test && npm run lint" })])
])

const text = (plan: Plan, columns = Infinity) =>
  PlanTree.render(plan, columns).map((line) => StyledLine.paint(line, false))

const by = (...agents: ReadonlyArray<string>) => ({
  agents: agents.map((text) => {
    const [agent = "", model] = text.split(" ")
    return new AgentChoice({ agent, model })
  })
})

describe("plan tree", () => {
  it("shows the agents of each task where they differ, and once where they do not", () => {
    const mixed = (...second: ReadonlyArray<string>) =>
      plan([unit("a", [], [task(1, "One", by("claude opus", "codex")), task(2, "Two", by(...second))])])
    expect(text(mixed("script")).slice(1, -2)).toEqual([
      "└─ a",
      "   ├─ 1 One",
      "   │    agent claude (opus), then codex",
      "   │    gate  test -f 1.txt",
      "   └─ 2 Two",
      "        agent script",
      "        gate  test -f 2.txt"
    ])
    const alike = text(mixed("claude opus", "codex"))
    expect(alike.join("\n")).not.toContain("agent claude (opus), then codex\n")
    expect(alike.at(-1)).toBe("1 unit, 2 tasks, 1 wave: 2 to do, agent claude (opus), then codex")
    expect(PlanTree.json(mixed("script")).units[0]?.tasks[0]).toMatchObject({
      agents: [{ agent: "claude", model: "opus" }, { agent: "codex" }]
    })
  })

  it("shows waves, units, tasks, their order, their gates, and what is skipped", () => {
    expect(text(diamond).join("\n")).toBe(`wave 1
├─ base
│  ├─ 1 Lay the ground  complete, skipped
│  └─ 2 Draw the lines  after 1
│       gate  test -f 2.txt
└─ done  complete, skipped
   └─ 1 Was there before  complete, skipped

wave 2
├─ left  after base
│  └─ 1 Go left  in progress
│       gate  test -f 1.txt
└─ right  after base, done
   ├─ 1 Go right
   │    gate  test -f 1.txt
   └─ 2 Go on  after 1  failed
        gate  test -f 2.txt

wave 3
└─ top  after left, right, at their merge
   └─ 1 Put the roof on it
        gate  npm test && npm run lint

5 units, 7 tasks, 3 waves: 5 to do, 2 skipped
a unit begins once the units that it comes after are done; units are merged in this order
a unit that conflicts with those merged before it fails, and keeps its commits`)
  })

  it("is truncated to the width of the terminal", () => {
    expect(text(diamond, 24).slice(0, 6)).toEqual([
      "wave 1",
      "├─ base",
      "│  ├─ 1 Lay the ground …",
      "│  └─ 2 Draw the lines …",
      "│       gate  test -f 2…",
      "└─ done  complete, skip…"
    ])
  })

  it("has no control sequences and fits the terminal, whatever the tasks contain", () => {
    fc.assert(
      fc.property(hostile, hostile, fc.constantFrom(20, 40, 80, 200), (title, backpressure, columns) => {
        for (const line of text(plan([unit("a", [], [task(1, title, { backpressure })])]), columns)) {
          expect(line).not.toMatch(forbidden)
          expect(stringWidth(line)).toBeLessThanOrEqual(columns)
        }
      })
    )
  })
})

describe("plan as JSON", () => {
  it("says what happens to a unit that conflicts, which the command line decides before charlotte.yaml", () => {
    expect(PlanTree.json(diamond, "agent").conflicts).toBe("agent")
    const settings = new Settings.Settings({ ...Settings.defaults, conflicts: "agent" })
    expect(text(new Plan({ ...diamond, settings }, { disableValidation: true })).at(-1)).toBe(
      "one turn of its agent resolves a conflict of a unit with those merged before it"
    )
  })

  it("has units and tasks in order", () => {
    expect(PlanTree.json(plan(diamond.units.slice(0, 1)))).toEqual({
      conflicts: "fail",
      units: [
        {
          id: "base",
          dependsOn: [],
          tasks: [
            { number: 1, title: "Lay the ground", status: "complete", dependsOn: [], file: "tasks/01.md", agents: [] },
            { number: 2, title: "Draw the lines", status: "pending", dependsOn: [1], file: "tasks/02.md", agents: [] }
          ]
        }
      ]
    })
  })
})
