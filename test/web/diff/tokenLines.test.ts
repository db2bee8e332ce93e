import { describe, expect, it } from "@effect/vitest"
import { highlight } from "../../../src/web/diff/highlighter.js"
import { parsePatch } from "../../../src/web/diff/parsePatch.js"
import { tokenLines } from "../../../src/web/diff/tokenLines.js"

const hunk = (...lines: ReadonlyArray<string>) => {
  const before = lines.filter((line) => !line.startsWith("+")).length
  const after = lines.filter((line) => !line.startsWith("-")).length
  const [found] = parsePatch(`@@ -1,${before} +1,${after} @@\n${lines.join("\n")}`)
  return found ?? { heading: "", lines: [] }
}

describe("the lines of a diff", () => {
  it("keep every character, whatever the grammar makes of it", () => {
    const lines = [
      " /* a",
      "-<script>alert('x')</script>",
      '+<img src=x onerror="alert(1)">',
      " */ const a = `",
      "+${1}",
      " `"
    ]
    for (const language of ["typescript", "xml", "markdown", "python"] as const) {
      const found = tokenLines(hunk(...lines), highlight, language)
      expect(found.map(({ tokens }) => tokens.map(({ text }) => text).join(""))).toEqual(
        lines.map((line) => line.slice(1))
      )
    }
  })

  it("have the tokens of their language, also of what goes over several lines", () => {
    const found = tokenLines(hunk(" /* a", "-b", "+c */ const d = 1"), highlight, "typescript")
    expect(found.map(({ tokens }) => tokens.map(({ classes, text }) => [text, classes]))).toEqual([
      [["/* a", "hl-comment"]],
      [["b", "hl-comment"]],
      [
        ["c */", "hl-comment"],
        [" ", ""],
        ["const", "hl-keyword"],
        [" d = ", ""],
        ["1", "hl-number"]
      ]
    ])
  })

  it("show what has changed within a line", () => {
    const found = tokenLines(hunk("-const a = old(1)", "+const a = fresh(1)"))
    expect(
      found.map(({ tokens }) => tokens.filter(({ classes }) => classes === "changed").map(({ text }) => text))
    ).toEqual([["old"], ["fresh"]])
  })

  it("show characters that are not to be seen by their numbers", () => {
    expect(tokenLines(hunk("+if (a\u202e) {"))[0]?.tokens).toEqual([{ text: "if (a‹U+202E›) {", classes: "" }])
  })

  it("are not highlighted where that would take too long", () => {
    const long = "x".repeat(300_000)
    expect(tokenLines(hunk(`+${long}`), highlight, "typescript")[0]?.tokens).toEqual([{ text: long, classes: "" }])
  })
})
