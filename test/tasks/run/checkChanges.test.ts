import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as checkChanges from "../../../src/tasks/run/checkChanges.js"
import * as Repository from "../../support/Repository.js"
import { charlotte, run, task } from "../Jobs.js"

const removed = (...lines: ReadonlyArray<string>) =>
  checkChanges.removedFrom({ deletions: 0, patch: ["@@ -1 +1 @@", ...lines].join("\n") })

describe("the lines that a test has lost", () => {
  it("are those that were removed or changed", () => {
    expect(removed("-a", "-b", " c", "+d")).toBe(2)
    expect(removed("-assert.equal(x, 1)", "+// assert.equal(x, 1)")).toBe(1)
    expect(removed('-test("a", f)', '+test.skip("a", f)')).toBe(1)
    expect(removed("-  assert x", "+    assert x")).toBe(1)
    expect(removed("-a", "-a", "+a")).toBe(1)
    expect(checkChanges.removedFrom({ deletions: 7 })).toBe(7)
  })

  it("are none where lines were added, moved or continued", () => {
    expect(removed("+a", " b")).toBe(0)
    expect(removed("-a", " b", "+a")).toBe(0)
    expect(removed("-", "-   ", "+a")).toBe(0)
    expect(removed("-a", "\\ No newline at end of file", "+a", "+b")).toBe(0)
    expect(removed('-  "b": 1', '+  "b": 1,', '+  "c": 2')).toBe(0)
    expect(removed("-a\r", "+a\r", "+b\r")).toBe(0)
  })

  it("are no imports that only got more names", () => {
    expect(removed('-import { a } from "x"', '+import { a, b } from "x"')).toBe(0)
    expect(removed("-from x import a", "+from x import a, b")).toBe(0)
    expect(removed('-const { a } = require("x")', '+const { a, b } = require("x")')).toBe(0)
    expect(removed('-import { a } from "x"', '+import { b } from "x"')).toBe(1)
    expect(removed('-import { a } from "x"', '+import { a } from "y"')).toBe(1)
    expect(removed('-import { a } from "x"', '-import { a } from "x"', '+import { a } from "x"')).toBe(0)
  })
})

/** The notes of a task that works on tests and a `package.json`. */
const notesOf = (script: string, gate = "sh check.sh") =>
  Effect.gen(function* () {
    const world = yield* Repository.sandbox
    const top = `${world.root}/repository`
    const files = {
      "check.sh": "# Checks.\ntest -f done.txt\n",
      "src/a.js": "1\n2\n3\n",
      "test/a.test.js": Array.from({ length: 38 }, (_, line) => `check(${line})\n`).join(""),
      "package.json": '{\n  "scripts": {\n    "test": "node --test",\n    "lint": "eslint ."\n  }\n}\n',
      "tasks/01-do.md": task(1, `touch done.txt\n${script}`, gate)
    }
    for (const [file, content] of Object.entries(files)) yield* world.write(`${top}/${file}`, content)
    yield* world.shell(top, "git init -q; git add .; git commit -qm first")
    const config = { repoPath: top, tasksDir: "tasks", targetBranch: "main", agent: "script" }
    const { run: record, work } = yield* run(config).pipe(
      Effect.provide(charlotte(world, { around: world.environment.variables }))
    )
    expect(record.status).toBe("completed")
    return (work.tasks[0]?.notes ?? []).filter(
      (note) => typeof note !== "string" && (note._tag === "checkChanged" || note._tag === "testsAdded")
    )
  })

const changed = (...files: ReadonlyArray<{ path: string; removed: number }>) => ({ _tag: "checkChanged", files })

describe("a note on what was done to a check", () => {
  it.scopedLive("counts the lines that tests, scripts and files of the gate have lost", () =>
    Effect.gen(function* () {
      expect(yield* notesOf(": > test/a.test.js")).toEqual([changed({ path: "test/a.test.js", removed: 38 })])
      expect(yield* notesOf("git rm -q test/a.test.js; git commit -qm 'No tests'")).toEqual([
        changed({ path: "test/a.test.js", removed: 38 })
      ])
      expect(yield* notesOf("sed -i 1d check.sh; sed -i 's/node --test/true/' package.json")).toEqual([
        changed({ path: "check.sh", removed: 1 }, { path: "package.json#scripts.test", removed: 1 })
      ])
    })
  )

  it.scopedLive("says that tests were added, and nothing of other files", () =>
    Effect.gen(function* () {
      expect(yield* notesOf("echo 'check(38)' >> test/a.test.js; echo 1 > test/b.test.js; sed -i 1d src/a.js")).toEqual(
        [{ _tag: "testsAdded", files: ["test/a.test.js", "test/b.test.js"] }]
      )
      expect(yield* notesOf("git mv test/a.test.js test/b.test.js; echo >> package.json; echo >> Makefile")).toEqual([])
      expect(yield* notesOf(": > src/a.js", "grep -c '' src/a.js; test -f done.txt")).toEqual([])
    })
  )
})
