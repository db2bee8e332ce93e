import { describe, expect, it } from "@effect/vitest"
import * as LogText from "../../../../src/web/job/log/LogText.js"
import { breaks, cut, make } from "../../../../src/web/job/log/wrap.js"

describe("wrapping the lines of a log", () => {
  it("breaks at so many columns, and counts wide characters and tabs", () => {
    expect(breaks("", 10)).toEqual([0])
    expect(breaks("0123456789", 10)).toEqual([0])
    expect(breaks("0123456789a", 10)).toEqual([0, 10])
    expect(breaks("日本語日本語", 4)).toEqual([0, 2, 4])
    expect(breaks("\tab", 9)).toEqual([0, 2])
    expect(breaks("e\u0301".repeat(4), 4)).toEqual([0])
    // Never within a pair of surrogates.
    expect(breaks("🚀🚀🚀", 3)).toEqual([0, 2, 4])
  })

  it("knows which line a row shows, as the log grows and its last line with it", () => {
    const log = LogText.make()
    const append = (text: string) => log.append(new TextEncoder().encode(text))
    const rows = make(log, 4)
    rows.update()
    expect(rows.count()).toBe(0)
    append("ab\nabcdefghi\n\nx")
    rows.update()
    expect(Array.from({ length: rows.count() }, (_, row) => rows.placeOf(row))).toEqual([
      { line: 0, part: 0 },
      { line: 1, part: 0 },
      { line: 1, part: 1 },
      { line: 1, part: 2 },
      { line: 2, part: 0 },
      { line: 3, part: 0 }
    ])
    append("xxxx\nend")
    rows.update()
    expect(rows.count()).toBe(8)
    expect(rows.placeOf(7)).toEqual({ line: 4, part: 0 })
    expect(rows.rowOf(3)).toBe(5)
  })

  it("cuts pieces without losing what they are", () => {
    const pieces = [
      { text: "abc", classes: "x" },
      { text: "def", classes: "y" }
    ]
    expect(cut(pieces, 2, 4)).toEqual([
      { text: "c", classes: "x" },
      { text: "d", classes: "y" }
    ])
    expect(cut(pieces, 3, Infinity)).toEqual([{ text: "def", classes: "y" }])
  })
})
