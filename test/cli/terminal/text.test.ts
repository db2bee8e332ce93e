import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import stringWidth from "string-width"
import * as StyledLine from "../../../src/cli/terminal/StyledLine.js"
import * as Terminal from "../../../src/cli/terminal/text.js"
import { forbidden, hostile } from "../hostile.js"

describe("plain text", () => {
  it("is the visible text", () => {
    expect(Terminal.clean("\x1b[31mred\x1b[0m and \x1b]0;own title\x07plain")).toBe("red and plain")
    expect(Terminal.clean("  two\n lines\tand a tab ")).toBe("two lines and a tab")
    expect(Terminal.clean("abc\u202edcba\u2069 \u200bx")).toBe("abcdcba x")
    expect(Terminal.clean("family 👨‍👩‍👧, 日本")).toBe("family 👨‍👩‍👧, 日本")
  })

  it("has no control sequences, whatever the input", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(Terminal.clean(text)).not.toMatch(forbidden)
        expect(Terminal.cleanLines(text).join("")).not.toMatch(forbidden)
      }),
      { numRuns: 2_000 }
    )
  })

  it("keeps indentation, and the final state of overwritten lines", () => {
    expect(Terminal.cleanLines("a\n  b\n\tc\n10%\r50%\r100%\n\n")).toEqual(["a", "  b", "    c", "100%"])
  })
})

describe("width of text", () => {
  it.each([
    "",
    "ascii",
    "日本語",
    "e\u0301",
    "한글",
    "한글".normalize("NFD"),
    "ﾊﾞ",
    "👨‍👩‍👧",
    "👍🏽",
    "👍🏽𖽑",
    "🇪🇺",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "1️⃣",
    "❤️",
    "·×–…→─│├└━▸✓✗",
    "© ✓"
  ])("is that of string-width: %s", (text) => {
    expect(Terminal.width(text)).toBe(stringWidth(text))
  })

  it("is never less than that of string-width", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const clean = Terminal.clean(text)
        expect(Terminal.width(clean)).toBeGreaterThanOrEqual(stringWidth(clean))
      }),
      { numRuns: 2_000 }
    )
  })
})

describe("fitted text", () => {
  it("is unchanged, or truncated with an ellipsis", () => {
    expect(Terminal.fit("twelve signs", 12)).toBe("twelve signs")
    expect(Terminal.fit("twelve signs", 11)).toBe("twelve sig…")
    expect(Terminal.fit("日本語", 5)).toBe("日本…")
    expect(Terminal.fit("日本語", 4)).toBe("日…")
    expect(Terminal.fit("👨‍👩‍👧👨‍👩‍👧", 3)).toBe("👨‍👩‍👧…")
    expect(["abc", ""].map((text) => Terminal.fit(text, 0))).toEqual(["", ""])
  })

  it("never exceeds its columns", () => {
    fc.assert(
      fc.property(hostile, fc.nat(30), (text, columns) => {
        expect(stringWidth(Terminal.fit(Terminal.clean(text), columns))).toBeLessThanOrEqual(columns)
      })
    )
  })
})

describe("styled line", () => {
  const line = [
    StyledLine.raw("  "),
    StyledLine.piece("silk", "name"),
    StyledLine.raw("  "),
    StyledLine.piece("two words more", "bad")
  ]
  const plain = (line: StyledLine.Line) => StyledLine.paint(line, false)

  it("is coloured only if colours are enabled", () => {
    expect(plain(line)).toBe("  silk  two words more")
    expect(StyledLine.paint(line, true)).toBe("  \x1b[36msilk\x1b[39m  \x1b[31mtwo words more\x1b[39m")
  })

  it("is truncated within and between its pieces", () => {
    expect([22, 21, 9, 8, 6, 5, 1, 0].map((columns) => plain(StyledLine.fit(line, columns)))).toEqual([
      "  silk  two words more",
      "  silk  two words mo…",
      "  silk  …",
      "  silk …",
      "  sil…",
      "  si…",
      "…",
      ""
    ])
  })

  it("right-aligns its end if both parts fit", () => {
    expect(plain(StyledLine.spread(line, [StyledLine.raw("0:12")], 30))).toBe("  silk  two words more    0:12")
    expect(plain(StyledLine.spread(line, [StyledLine.raw("0:12")], 20))).toBe("  silk  two w…  0:12")
    expect(plain(StyledLine.spread(line, [StyledLine.raw("0:12")], 5))).toBe("0:12")
    expect(plain(StyledLine.spread(line, [StyledLine.raw("0:12")], 3))).toBe("0:…")
  })

  it("wraps between words", () => {
    expect(StyledLine.wrap(line, 15, 4).map(plain)).toEqual(["  silk  two", "    words more"])
    expect(StyledLine.wrap([StyledLine.piece("see /a/path/that/is/long now")], 10, 2).map(plain)).toEqual([
      "see",
      "  /a/path/that/is/long",
      "  now"
    ])
  })
})
