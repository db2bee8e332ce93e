import { describe, expect, it } from "vitest"
import { inOrder, judgedIn, tasksDirOf } from "../../../src/web/diff/inOrder.js"
import { pairs } from "../../../src/web/diff/pairs.js"
import { parsePatch } from "../../../src/web/diff/parsePatch.js"

const paths = (files: ReadonlyArray<string>, tasksDir?: string, judged: ReadonlySet<string> = new Set()) =>
  inOrder(
    files.map((path) => ({ path })),
    tasksDir,
    judged
  ).map(({ path }) => path)

describe("the files of a diff", () => {
  it("are in order, with files of the tasks and generated ones last", () => {
    expect(
      paths(["a.ts", "dist/a.js", "package-lock.json", "tasks/api/01.md", "z.ts", "x.min.js"], "tasks/api")
    ).toEqual(["a.ts", "z.ts", "tasks/api/01.md", "dist/a.js", "package-lock.json", "x.min.js"])
    expect(tasksDirOf({ repoPath: "/r", tasksDir: "/r/tasks/api/" })).toBe("tasks/api")
    expect(tasksDirOf({ repoPath: "/r", tasksDir: "./tasks" })).toBe("tasks")
    expect(tasksDirOf({})).toBeUndefined()
  })

  it("begin with those that decide what the gates prove", () => {
    const notes = [
      { _tag: "checkChanged", files: [{ path: "package.json", removed: 2 }] },
      { _tag: "protected", files: ["test/a.ts"], patch: "x" },
      { _tag: "testsAdded", files: ["test/b.ts"] },
      "free text"
    ]
    expect(paths(["a.ts", "package.json", "test/a.ts", "test/b.ts"], undefined, judgedIn([{ notes }]))).toEqual([
      "package.json",
      "test/a.ts",
      "a.ts",
      "test/b.ts"
    ])
  })
})

describe("the lines of a diff side by side", () => {
  it("have each removed line beside the one that replaces it, and every line once", () => {
    const [hunk] = parsePatch("@@ -1,4 +1,4 @@\n a\n-b\n-c\n+d\n e\n+f\n\\ No newline at end of file")
    const found = pairs(hunk?.lines ?? []).map(({ after, before }) => [before?.text, after?.text])
    expect(found).toEqual([
      ["a", "a"],
      ["b", "d"],
      ["c", undefined],
      ["e", "e"],
      [undefined, "f"],
      [undefined, "No newline at end of file"]
    ])
  })
})
