import { describe, expect, it } from "@effect/vitest"
import { json } from "../../src/progress/payload.js"
import * as taskNotes from "../../src/progress/taskNotes.js"
import { samples } from "./samples.js"

const green = { _tag: "greenBefore" }

const tasks = (...notes: ReadonlyArray<ReadonlyArray<unknown>>) =>
  taskNotes.ofRecords(notes.map((notes, at) => ({ unit: "api", task: at + 1, state: "completed", notes })))

const lines = (...notes: ReadonlyArray<ReadonlyArray<unknown>>) => taskNotes.ofJob(tasks(...notes))

describe("the notes on the gates of a job", () => {
  it("are one line for each kind of note, however many tasks have it", () => {
    expect(lines([green], ["moved main", green], [], [{ _tag: "flaky", logs: ["/a", "/b"] }])).toEqual([
      { text: "gates of 2 of 4 tasks passed before any work" },
      { unit: "api", task: 4, text: "the gate is flaky: it gave two answers on the same files; see /a and /b" }
    ])
  })

  it("begin with what was done to the checks, whatever was noted first, and name refs that were moved", () => {
    const changed = { _tag: "checkChanged", files: [{ path: "test/a.test.js", removed: 38 }] }
    const moved = {
      _tag: "refsMoved",
      by: "agent of attempt 1",
      what: "created refs/tags/v9 at 1a",
      advice: "they were reset"
    }
    const texts = [
      "what the gate runs was changed: 38 lines of test/a.test.js removed",
      "the agent of attempt 1 created refs/tags/v9 at 1a: they were reset",
      "the gate passed before any work"
    ]
    expect(lines([green, moved, changed]).map(({ text }) => text)).toEqual(texts)
    const notes = taskNotes.inOrder(["a remark", green, moved, changed].map(taskNotes.read))
    expect(notes.map(({ text }) => text)).toEqual([...texts, "a remark"])
    expect(lines([moved], [moved])).toEqual([
      { text: "refs of yours were made, moved or deleted by commands of 2 of 2 tasks" }
    ])
  })

  it("do not count tasks that were complete when the job was submitted", () => {
    const skipped = taskNotes.ofRecords([{ unit: "web", task: 1, state: "skipped", notes: [] }])
    expect(taskNotes.ofJob([...tasks([green], [green]), ...skipped])[0]?.text).toContain("2 of 2 tasks")
  })

  it("leave out tests that were only added", () => {
    const added = { _tag: "testsAdded", files: ["test/b.test.js"] }
    expect(lines([added], [added])).toEqual([])
    expect(taskNotes.isWarning(taskNotes.read(added))).toBe(false)
  })
})

describe("a note on a task", () => {
  const notes = samples.flatMap(({ payload, type }) => (type === "task.noted" ? [json(payload, "note")] : []))

  it.each(notes.map((note) => [note]))("has words for %j", (note) => {
    const { text } = taskNotes.read(note)
    expect(text).toMatch(/^\w/)
    expect(text).not.toContain("undefined")
  })

  it("is read from any JSON, and names a few files of many", () => {
    const files = ["a", "b", "c", "d", "e"]
    expect(taskNotes.read({ _tag: "protected", files }).text).toMatch(/: a, b, c and 2 more; the changes: /)
    for (const note of [undefined, null, 7, {}, { _tag: "toString" }])
      expect(taskNotes.read(note)).toEqual({ tag: undefined, text: "" })
    expect(taskNotes.read({ _tag: "checkChanged", files: [7] }).text).toBeTypeOf("string")
  })
})
