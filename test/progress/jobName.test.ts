import { describe, expect, it } from "@effect/vitest"
import { baseName, jobName } from "../../src/progress/jobName.js"

const tasks = { kind: "tasks", config: { repoPath: "/srv/site/", tasksDir: "tasks/api" }, labels: {} }

describe("the name of a job", () => {
  it("of tasks is its repository, with its first units or its plan", () => {
    expect(jobName(tasks)).toBe("site: tasks/api")
    expect(jobName({ ...tasks, unitNames: ["a", "b", "c"] })).toBe("site: a, b, c")
    expect(jobName({ ...tasks, unitNames: ["a", "b", "c", "d"] })).toBe("site: a, b, c and more")
    expect(jobName({ ...tasks, config: { tasksDir: "tasks/api" } })).toBe("tasks/api")
  })

  it("is its title or its name, of its labels or else of its configuration, and otherwise its kind", () => {
    const labels = { title: "T", name: "N" }
    const config = { title: "t", name: "n" }
    expect(jobName({ ...tasks, labels, config })).toBe("T")
    expect(jobName({ ...tasks, labels: { name: "N" }, config })).toBe("t")
    expect(jobName({ ...tasks, labels: { name: "N" }, config: { title: " ", name: "n" } })).toBe("N")
    expect(jobName({ ...tasks, config: { name: "n" } })).toBe("n")
    expect(jobName({ kind: "order", config: tasks.config, labels: {} })).toBe("order")
  })
})

describe("the last part of a path", () => {
  it("is the path itself where it has none", () => {
    expect(["/srv/site", "/srv/site//", "site", "/", ""].map(baseName)).toEqual(["site", "site", "site", "/", ""])
  })
})
