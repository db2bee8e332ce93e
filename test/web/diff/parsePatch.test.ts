import { describe, expect, it } from "@effect/vitest"
import { languageOf } from "../../../src/web/diff/languageOf.js"
import { changedPart, parsePatch } from "../../../src/web/diff/parsePatch.js"

describe("the patch of a file", () => {
  it("is read into hunks of numbered lines", () => {
    const patch =
      "@@ -1,3 +1,4 @@ heading\n one\n-two\n+TWO\n three\n+four\n\\ No newline at end of file\n@@ -10 +11,0 @@\n-x"
    expect(parsePatch(patch)).toEqual([
      {
        heading: "heading",
        lines: [
          { kind: "context", text: "one", before: 1, after: 1 },
          { kind: "removed", text: "two", before: 2, after: undefined },
          { kind: "added", text: "TWO", before: undefined, after: 2 },
          { kind: "context", text: "three", before: 3, after: 3 },
          { kind: "added", text: "four", before: undefined, after: 4 },
          { kind: "note", text: "No newline at end of file", before: undefined, after: undefined }
        ]
      },
      { heading: "", lines: [{ kind: "removed", text: "x", before: 10, after: undefined }] }
    ])
  })

  it("takes lines that look like headers as lines", () => {
    const [hunk] = parsePatch("@@ -1,2 +1,2 @@\n-@@ -5,9 +5,9 @@\n--- a/x\n+++ b/x\n+@@ -1 +1 @@")
    expect(hunk?.lines.map(({ kind, text }) => [kind, text])).toEqual([
      ["removed", "@@ -5,9 +5,9 @@"],
      ["removed", "-- a/x"],
      ["added", "++ b/x"],
      ["added", "@@ -1 +1 @@"]
    ])
  })

  it("is nothing without a hunk", () => {
    expect(parsePatch("")).toEqual([])
    expect(parsePatch("garbage\n+x")).toEqual([])
  })
})

describe("the changed part of a line", () => {
  it("is what lies between the common beginning and the common end", () => {
    expect(changedPart("const a = 1", "const b = 1")).toEqual([6, 7, 7])
    expect(changedPart("call(a)", "call(a, b)")).toEqual([6, 6, 9])
    expect(changedPart("one", "other")).toBeUndefined()
    expect(changedPart("", "x")).toBeUndefined()
  })
})

describe("the language of a file", () => {
  it("is found by its name", () => {
    expect(["src/a.ts", "B.PY", "Dockerfile", "x/y.unknown", "constructor", "a.toString"].map(languageOf)).toEqual([
      "typescript",
      "python",
      "bash",
      undefined,
      undefined,
      undefined
    ])
  })
})
