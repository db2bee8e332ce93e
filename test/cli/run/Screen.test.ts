import { describe, expect, it } from "@effect/vitest"
import { DateTime, FastCheck as fc } from "effect"
import stringWidth from "string-width"
import * as StyledLine from "../../../src/cli/terminal/StyledLine.js"
import * as settledLines from "../../../src/cli/run/settledLines.js"
import * as Screen from "../../../src/cli/run/Screen.js"
import * as Terminal from "../../../src/cli/terminal/text.js"
import type { Payload } from "../../../src/tasks/events.js"
import { forbidden, hostile } from "../hostile.js"
import { commit, events, modelOf, noon, type Step, step, steps, waiting } from "./scenario.js"

const scenario = steps("/logs/gate.log")
const zone = DateTime.zoneMakeOffset(0)
const tail = ["# Subtest: rings", "not ok 2 - closes the outer ring", "# fail 1"]

const after = (second: number, list: ReadonlyArray<Step> = scenario) => modelOf(list.filter(({ at }) => at <= second))

const paint = (lines: ReadonlyArray<StyledLine.Line>) => lines.map((line) => StyledLine.paint(line, false))

const screen = (second: number, columns: number, rows = 24) =>
  paint(Screen.render(after(second), { size: { columns, rows }, now: noon + second * 1000 + 500, tail })).join("\n")

describe("screen of a running job", () => {
  it("has a line for each running unit and a progress bar", () => {
    expect(screen(5, 80)).toBe(`
  silk   1 Spin the spokes                                            gate  0:03
  words  2 Choose the word of the day                                 gate  0:03

  ━━━━━━━━────────────────────────────────  1/5  0:05`)
  })

  it("shows what the agent of a unit did last, if there is room", () => {
    const latest = new Map([
      ["silk", "● Bash npm test\u001b[2J"],
      ["words", "not shown: it is not at its agent"]
    ])
    const size = { columns: 80, rows: 24 }
    const lines = (rows: number) =>
      paint(Screen.render(after(14), { size: { ...size, rows }, now: noon + 14_500, tail, latest }))
    expect(lines(24).slice(1, 4)).toEqual([
      "  silk   2 Lay the rings of the web, from the rim inwar…  attempt 2  agent  0:01",
      "         ● Bash npm test",
      "  words                                                     awaiting merge  0:07"
    ])
    expect(lines(7).join()).not.toContain("npm test")
  })

  it("has a bar for what a job without tasks has reported, with its text", () => {
    const model = modelOf([{ at: 0, type: "job.started" }])
    const bar = (columns: number, progress: Screen.View["progress"]) =>
      paint(Screen.render(model, { size: { columns, rows: 24 }, now: noon + 5_000, tail: [], progress })).at(-1)
    const progress = { done: 60, total: 100, text: "resizing \u001b[2J images" }
    expect(bar(80, progress)).toBe("  ━━━━━━━━━━━━────────  60/100  0:05  resizing images")
    expect(bar(44, progress)).toBe("  ━━━━━━━━━━━━────────  60/100  0:05  resiz…")
    expect(bar(80, { done: 3, total: 4 })).toBe("  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━──────────  3/4  0:05")
    expect(bar(80, undefined)).toBe("  starting  0:05")
  })

  it("shows the end of a failed gate's output during the retry", () => {
    expect(screen(14, 80)).toBe(`
  silk   2 Lay the rings of the web, from the rim inwar…  attempt 2  agent  0:01
  words                                                     awaiting merge  0:07

silk 2  gate failed: ended with exit code 1
│ # Subtest: rings
│ not ok 2 - closes the outer ring
│ # fail 1

  ━━━━━━━━━━━━━━━━━━━━━━━━────────────────  3/5  0:14`)
  })

  it("shows only for what a job waits that is pending or parked", () => {
    const at = (second: number, columns = 100) =>
      paint(
        Screen.render(after(second, waiting), { size: { columns, rows: 24 }, now: noon + (second + 30) * 1000, tail })
      )
    expect(at(0)).toEqual(["", "  waits for a permit  0:30"])
    expect(at(60).at(-1)).toMatch(/ 1\/5 {2}0:30$/)
    expect(at(70)).toEqual(["", expect.stringMatching(/^ {2}parked for .* until 1 h from now: the usage limit.*0:30$/)])
    expect(at(70, 40).map((line) => Terminal.width(line))).toEqual([0, 40])
    // The time that it has been parked counts.
    expect(at(81).at(-1)).toMatch(/ 1\/5 {2}0:51$/)
  })

  it("keeps the essential parts on a narrow terminal", () => {
    expect(screen(14, 40)).toBe(`
  silk   2 Lay the ring…  ×2 agent  0:01
  words             awaiting merge  0:07

silk 2  gate failed: ended with exit co…
│ # Subtest: rings
│ not ok 2 - closes the outer ring
│ # fail 1

  ━━━━━━━━━━━━━━━━───────────  3/5  0:14`)
    expect(screen(14, 20)).toBe(`
silk   2 Lay…   0:01
words           0:07

silk 2  gate failed…
│ # Subtest: rings
│ not ok 2 - closes…
│ # fail 1

━━━━━────  3/5  0:14`)
  })

  it("shows the number of failures, and landing", () => {
    expect(screen(17, 80)).toBe(`
  words                                                     awaiting merge  0:10

  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━────────  3/5  1 failed  0:17`)
    const landing = after(30, [...scenario, step(22, "", "orch.landing", { target: "main", attempt: 1 })])
    expect(paint(Screen.render(landing, { size: { columns: 80, rows: 24 }, now: noon + 30_000, tail: [] }))).toEqual([
      "",
      "  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━────────  3/5  1 failed  landing  0:30"
    ])
    expect(paint(Screen.render(modelOf([]), { size: { columns: 80, rows: 24 }, now: noon, tail: [] }))).toEqual([
      "",
      "  starting  0:00"
    ])
  })

  it("drops blank lines, then output, then units on a low terminal", () => {
    expect(screen(14, 80, 8).split("\n")).toHaveLength(7)
    expect(screen(14, 80, 6)).toMatch(/^ {2}silk.*\n {2}words.*\nsilk 2 {2}gate.*\n│ # fail 1\n {2}━/)
    expect(screen(14, 80, 4)).toMatch(/^ {2}silk.*\n {2}words.*\n {2}━/)
    expect(screen(14, 80, 3)).toMatch(/^ {2}and 2 more\n {2}━/)
    expect(screen(14, 80, 2)).toMatch(/^ {2}━.*$/)
    expect(screen(14, 80, 1)).toBe("")
  })

  const payload = (texts: ReadonlyArray<string>): Payload<"orch.started"> => ({
    target: "main",
    base: commit,
    branch: "b",
    agent: "a",
    concurrency: 4,
    units: texts.map((text, index) => ({
      id: `${index}${text}`,
      dependsOn: [],
      tasks: [{ number: 1, title: text, status: "pending", dependsOn: [] }]
    }))
  })

  it("never exceeds the terminal and has no control sequences, whatever the events contain", () => {
    const size = fc.record({
      columns: fc.oneof(fc.constantFrom(20, 40, 80, 200), fc.integer({ min: 1, max: 120 })),
      rows: fc.integer({ min: 1, max: 40 })
    })
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 12 }), hostile, size, (texts, output, size) => {
        const units = payload(texts).units
        const progress = after(9, [
          step(0, "", "orch.started", payload(texts)),
          ...units.flatMap(({ id, tasks }, index): ReadonlyArray<Step> => [
            { at: 1, type: "unit.started", unit: id, payload: {} },
            { at: 1, type: "task.started", unit: id, task: 1, payload: { title: tasks[0]?.title, attempt: index % 3 } },
            {
              at: 2,
              type: index % 2 === 0 ? "task.gate.failed" : "task.completed",
              unit: id,
              task: 1,
              payload: { command: output, reason: output, commit, attempt: 1, log: { file: "/l", from: 0, to: 1 } }
            }
          ])
        ])
        const tail = Terminal.cleanLines(output)
        const lines = paint(Screen.render(progress, { size, now: noon + 10_000_000, tail }))
        expect(lines.length).toBeLessThan(Math.max(1, size.rows))
        for (const line of lines) {
          expect(line).not.toMatch(forbidden)
          expect(line).not.toContain("\n")
          expect(stringWidth(line)).toBeLessThanOrEqual(size.columns)
        }
      }),
      { numRuns: 500 }
    )
  })
})

describe("final output of a job", () => {
  const stays = (columns: number) =>
    events(scenario)
      .flatMap((event, index) =>
        paint(settledLines.lines(event, { model: after(Infinity, scenario.slice(0, index + 1)), tail, columns, zone }))
      )
      .join("\n")

  it("has a line for each ended unit, with reason and notes", () => {
    expect(stays(100)).toBe(`job 01ARZ3NDEKTSV4RRFFQ69G5FAV started
3 units, 5 tasks for main, agent claude
! words 2  note: the agent changed tasks/words/02-choose.md: plan files were restored
✗ silk  unit failed: task 2 (Lay the rings of the web, from the rim inwards) failed 2 times: ended
  with exit code 1  0:17
│ # Subtest: rings
│ not ok 2 - closes the outer ring
│ # fail 1
✓ words  merged, commit 1a2b3c4d  0:20
! barn  blocked by silk`)
  })

  it("wraps between words on a narrow terminal", () => {
    for (const line of stays(40).split("\n")) expect(stringWidth(line)).toBeLessThanOrEqual(40)
  })

  it("lists skipped units and the landing", () => {
    const list: ReadonlyArray<Step> = [
      step(0, "", "orch.started", {
        ...payloadOf("x"),
        units: [{ id: "old", dependsOn: [], tasks: [{ number: 1, title: "t", status: "complete", dependsOn: [] }] }]
      }),
      step(1, "old", "unit.waiting", { reason: "x is at its usage limit", until: "2025-01-01T13:00:00.000Z" }),
      { at: 1, type: "job.resumed" },
      step(2, "", "orch.landed", { target: "main", commit })
    ]
    const lines = events(list).flatMap((event, index) =>
      paint(
        settledLines.lines(event, { model: after(Infinity, list.slice(0, index + 1)), tail: [], columns: 80, zone })
      )
    )
    expect(lines).toEqual([
      "1 unit, 1 task for main, agent x",
      "✓ old  already complete",
      "! old  waiting: x is at its usage limit; until 2025-01-01 13:00:00",
      "job 01ARZ3NDEKTSV4RRFFQ69G5FAV resumed",
      "✓ landed on main, commit 1a2b3c4d"
    ])
  })
})

const payloadOf = (agent: string): Payload<"orch.started"> => ({
  target: "main",
  base: commit,
  branch: "b",
  agent,
  concurrency: 4,
  units: []
})
