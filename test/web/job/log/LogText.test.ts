import { describe, expect, it } from "@effect/vitest"
import { make } from "../../../../src/web/job/log/LogText.js"
import { mark, matches } from "../../../../src/web/job/log/search.js"

const bytes = (text: string) => new TextEncoder().encode(text)

const text = (log: ReturnType<typeof make>, line: number) =>
  log
    .parse(line)
    .map(({ text }) => text)
    .join("")

describe("the text of a log", () => {
  it("takes pieces that are cut anywhere, also within a character", () => {
    const whole = bytes("erste Zeile – äöü\n日本\nlast")
    for (let cut = 0; cut <= whole.length; cut++) {
      const log = make()
      log.append(whole.subarray(0, cut))
      log.append(whole.subarray(cut))
      expect([0, 1, 2].map((line) => log.raw(line))).toEqual(["erste Zeile – äöü", "日本", "last"])
      expect(log.length()).toBe(3)
      expect(log.bytes()).toBe(whole.length)
    }
  })

  it("keeps a colour over many lines, whichever line is shown first", () => {
    const log = make()
    log.append(bytes(`\u001b[31m${"line\n".repeat(1000)}\u001b[0mend`))
    expect(log.parse(999)).toEqual([{ text: "line", classes: "fg-1" }])
    expect(log.parse(1)).toEqual([{ text: "line", classes: "fg-1" }])
    expect(log.parse(1000)).toEqual([{ text: "end", classes: "" }])
  })

  it("drops lines from the beginning when there are too many, and says how many", () => {
    const log = make({ lines: 1_000, characters: 1_000_000, line: 1_000 })
    log.append(bytes("\u001b[31m"))
    for (let at = 0; at < 5_000; at++) log.append(bytes(`line ${at}\n`))
    expect(log.length()).toBeLessThanOrEqual(1_000)
    expect(log.dropped() + log.length()).toBe(5_000)
    expect(log.raw(0)).toBe(`line ${log.dropped()}`)
    expect(log.parse(0)).toEqual([{ text: `line ${log.dropped()}`, classes: "fg-1" }])
    const few = make({ lines: 1_000, characters: 10_000, line: 1_000 })
    few.append(bytes(`${"x".repeat(400)}\n`.repeat(900)))
    few.append(bytes("\u001b[32mend\n"))
    expect(text(few, few.length() - 1)).toBe("end")
    expect(few.length() + few.dropped()).toBe(901)
    expect(few.length()).toBeLessThan(300)
  })

  it("breaks a line that does not end, so that it keeps no more than its limit", () => {
    const log = make({ lines: 1_000, characters: 10_000, line: 100 })
    for (let at = 0; at < 5_000; at++) log.append(bytes(`${at % 10} `.repeat(20)))
    const kept = Array.from({ length: log.length() }, (_, line) => log.raw(line))
    expect(kept.join("").length).toBeLessThanOrEqual(10_100)
    expect(Math.max(...kept.map((line) => line.length))).toBe(100)
    expect(log.dropped() + log.length()).toBe(2_000)
    const whole = make({ lines: 1_000, characters: 10_000, line: 100 })
    const cut = make({ lines: 1_000, characters: 10_000, line: 100 })
    const line = bytes(`${"x".repeat(250)}\nend`)
    whole.append(line)
    for (const byte of line) cut.append(Uint8Array.of(byte))
    const lengths = (log: ReturnType<typeof make>) => [0, 1, 2, 3].map((line) => log.raw(line).length)
    expect(lengths(whole)).toEqual([100, 100, 50, 3])
    expect(lengths(cut)).toEqual(lengths(whole))
  })

  it("finds a text without regard to case and colours", () => {
    const log = make()
    log.append(bytes("one\nTwo \u001b[1mERR\u001b[0mor\nthree\nerror again"))
    expect(matches(log, "error", 0, log.length())).toEqual([1, 3])
    expect(matches(log, "error", 2, log.length())).toEqual([3])
  })

  it("marks each match, also over several pieces", () => {
    const pieces = [
      { text: "an er", classes: "" },
      { text: "ror, Error", classes: "bold" }
    ]
    expect(mark(pieces, "error")).toEqual([
      { text: "an ", classes: "", isMatch: false },
      { text: "er", classes: "", isMatch: true },
      { text: "ror", classes: "bold", isMatch: true },
      { text: ", ", classes: "bold", isMatch: false },
      { text: "Error", classes: "bold", isMatch: true }
    ])
    expect(mark([{ text: "aaaa", classes: "" }], "aa").map(({ isMatch, text }) => [text, isMatch])).toEqual([
      ["aa", true],
      ["aa", true]
    ])
    expect(mark(pieces, "")).toEqual(pieces.map((piece) => ({ ...piece, isMatch: false })))
  })
})
