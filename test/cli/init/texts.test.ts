import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc, Option } from "effect"
import * as texts from "../../../src/cli/init/texts.js"
import { clean } from "../../../src/cli/terminal/text.js"
import * as Settings from "../../../src/tasks/plan/Settings.js"
import * as TaskFile from "../../../src/tasks/plan/TaskFile.js"

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.stringMatching(/^[ #"'`:&{}[\]\\a-z|>%@!*-]{1,30}$/)
)

describe("the files of a new task", () => {
  it("reads with the title and the gate that it was written with, whatever they are", () => {
    fc.assert(
      fc.property(text, text, (written, gate) => {
        const title = clean(written)
        fc.pre(title !== "" && gate.trim() !== "" && !gate.includes("\0"))
        const read = TaskFile.parse("01-a.md", texts.task({ number: 1, title, gate, body: "" }))
        expect([read.problems.map(String), read.title, read.backpressure]).toEqual([[], title, gate])
      })
    )
  })

  it("names the line of a gate that is left to the user", () => {
    const read = TaskFile.parse("01-a.md", texts.task({ number: 1, title: "A", gate: undefined, body: "" }))
    expect(read.problems.map(String)).toEqual([
      "01-a.md:4: has no backpressure: add the command that must pass before the task counts as done"
    ])
  })

  it("turns any title into a part of a file name", () => {
    expect(texts.slug("Report the line of an error!")).toBe("report-the-line-of-an-error")
    expect(texts.slug("../../Überall 100 %")).toBe("uberall-100")
    expect(texts.slug("日本")).toBe("task")
    fc.assert(
      fc.property(text, (title) => {
        expect(texts.slug(title)).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
        expect(TaskFile.isName(`01-${texts.slug(title)}.md`)).toBe(true)
      })
    )
  })
})

describe("charlotte.yaml of charlotte init", () => {
  it("reads with the commands of the project, whatever they are", () => {
    const inputs = ["package.json", "a, b/{c}.json", "one,two"]
    fc.assert(
      fc.property(text, text, (run, gate) => {
        fc.pre([run, gate].every((command) => command.trim() !== "" && !command.includes("\0")))
        const project = {
          directory: "",
          tools: ["npm"],
          setup: Option.some({ run, inputs }),
          gates: [gate, "npm run b"],
          others: ["npm run lint"],
          hasPackages: false,
          leavings: []
        }
        const { problems, value } = Settings.parse(
          "charlotte.yaml",
          texts.settings(project, { agent: "claude", hasEnv: true })
        )
        expect(problems.map(String)).toEqual([])
        expect(value).toMatchObject({ agent: "claude", baseline: [gate, "npm run b"] })
        expect(value.setup).toEqual({ run, inputs })
      })
    )
  })
})

describe("the first task of charlotte init", () => {
  const project = {
    directory: "",
    tools: [],
    setup: Option.none(),
    gates: ["npm test"],
    others: [],
    hasPackages: false,
    leavings: []
  }
  const first = (isScript: boolean) =>
    TaskFile.parse("01-hello.md", texts.first(project, { isScript, isTaken: (name) => name === "HELLO.md" }))

  it("has a block that the agent script runs, and words for any other agent, with a name that is free", () => {
    expect(first(true).scripts.map((script) => script.trim())).toEqual(['echo "Hello from a first job." > HELLO-2.md'])
    expect(first(false).scripts).toEqual([])
    expect(first(false).prompt).toContain("Write `HELLO-2.md`: what this project is for")
    expect(first(false).backpressure).toBe("test -s HELLO-2.md && npm test")
  })
})
