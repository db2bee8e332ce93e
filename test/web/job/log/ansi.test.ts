import { describe, expect, it } from "@effect/vitest"
import { parseLine, plain, textOf } from "../../../../src/web/job/log/ansi.js"
import { visible } from "../../../../src/web/ui/visible.js"

const parse = (line: string) => parseLine(line, plain)
const pieces = (line: string) => parse(line).pieces.map(({ classes, text }) => [text, classes])

describe("a line of output", () => {
  it("has its colours as classes", () => {
    expect(pieces("a \u001b[31mred\u001b[1;44m both\u001b[0m end")).toEqual([
      ["a ", ""],
      ["red", "fg-1"],
      [" both", "fg-1 bg-4 bold"],
      [" end", ""]
    ])
    expect(pieces("\u001b[92;2;3;4;9mx\u001b[22;23;24;29;39my")).toEqual([
      ["x", "fg-10 dim italic underline strike"],
      ["y", ""]
    ])
    expect(pieces("\u001b[7;31mx")).toEqual([["x", "fg-inverse bg-1"]])
  })

  it("has the nearest of sixteen for colours of the palette and true colours", () => {
    expect(
      pieces("\u001b[38;5;9ma\u001b[38;5;46mb\u001b[38;5;240mc\u001b[38;2;0;0;130md\u001b[48;2;255;255;255me")
    ).toEqual([
      ["a", "fg-9"],
      ["b", "fg-10"],
      ["c", "fg-8"],
      ["d", "fg-4"],
      ["e", "fg-4 bg-15"]
    ])
  })

  it("keeps its style for the next line", () => {
    const { style } = parse("\u001b[33mopen")
    expect(parseLine("still", style).pieces).toEqual([{ text: "still", classes: "fg-3" }])
  })

  it("loses cursor movements, titles, links and other control strings", () => {
    expect(
      pieces("\u001b[2J\u001b[1;1Ha\u001b]0;title\u0007b\u001b]8;;https://x\u001b\\c\u001b]8;;\u001b\\d\u001b(B")
    ).toEqual([
      ["a", ""],
      ["b", ""],
      ["c", ""],
      ["d", ""]
    ])
    expect(pieces("\u001bPq unterminated")).toEqual([])
  })

  it("shows what was written last where carriage returns overwrite", () => {
    expect(pieces("10 %\r50 %\r100 %")).toEqual([["100 %", ""]])
    expect(pieces("windows\r")).toEqual([["windows", ""]])
    expect(textOf("10 %\r\u001b[32m100 %\u001b[0m\r")).toBe("100 %")
  })

  it("shows characters that are not to be seen by their numbers", () => {
    expect(visible("a\u202eb\u0000c\u2028\td")).toBe("a‹U+202E›b‹U+0000›c‹U+2028›\td")
    expect(pieces("x\u2066y")).toEqual([["x‹U+2066›y", ""]])
    expect(textOf("<script>alert(1)</script>")).toBe("<script>alert(1)</script>")
    // A joiner is part of one visible character.
    expect(visible("👩‍🚀")).toBe("👩‍🚀")
  })
})
