/** Stripping of control sequences. */
import { describe, expect, it } from "@effect/vitest"
import * as plainText from "../../src/internal/plainText.js"

describe("plainText.strip", () => {
  for (const [what, text, stripped] of [
    ["plain text", "a\tb\n\n ünïcödé 🕸\n", "a\tb\n\n ünïcödé 🕸\n"],
    ["colours", "\x1b[1;38;5;196mred\x1b[m \x1b[4:3munder\x1b[0m", "red under"],
    ["cursor movements", "a\x1b[2K\x1b[1Gb\x1b[?25l\x1b[10;20Hc\x1b[6n", "abc"],
    ["a title", "\x1b]0;evil title\x07a\x1b]2;other\x1b\\b", "ab"],
    ["a link", "\x1b]8;;http://example.com\x1b\\text\x1b]8;;\x1b\\", "text"],
    ["a device's string", "a\x1bPq#0;2;0;0;0\x1b\\b\x1b_hidden\x1b\\c\x1b^x\x1b\\d\x1bXy\x1b\\e", "abcde"],
    ["an unterminated string", "\x1b]0;open\nnext", "\nnext"],
    ["a truncated sequence", "a\x1b[31", "a"],
    ["a truncated escape", "a\x1b", "a"],
    ["short escapes", "\x1b7a\x1bMb\x1b(Bc\x1b#8d\x1bc", "abcd"],
    ["the eight-bit forms", "\x9b31mred\x9b0m \x9d0;title\x9ctext", "red text"],
    ["control characters", "a\x00b\x07c\x08d\x0be\x0cf\x7fg\x85h", "abcdefgh"],
    ["text direction marks", "a\u202eb\u2066c\u200fd\ufeffe", "abcde"],
    ["line endings of other systems", "a\r\nb\r\r\nc", "a\nb\nc"],
    ["overwritten lines", "0%\r50%\r100%\ndone\r\n", "100%\ndone\n"],
    ["joiners, which are part of an emoji", "👩‍💻", "👩‍💻"]
  ] as const) {
    it(`keeps the visible text of ${what}`, () => {
      expect(plainText.strip(text)).toBe(stripped)
    })
  }

  it("runs in linear time on any text", () => {
    const million = 1_000_000
    for (const piece of ["\x1b]", "\x1b[", "\x1b[0;", "\r", "\x1b", "\x9d0", "\x1b(("]) {
      expect(plainText.strip(piece.repeat(million / piece.length)).length).toBeLessThanOrEqual(million)
    }
    expect(plainText.strip(`\x1b]${"x".repeat(million)}`)).toBe("")
  })
})
