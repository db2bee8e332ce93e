import { describe, expect, it } from "@effect/vitest"
import { Run } from "charlotte"
import { Data } from "effect"
import { capped, runError } from "../../src/domain/runError.js"

const limit = 64 * 1024
const bytes = (text: string) => Buffer.byteLength(text)
const bytesOf = (value: unknown) => bytes(JSON.stringify(value))

const recorded = (...args: Parameters<typeof runError>) => capped(runError(...args))

class Failed extends Data.TaggedError("Failed")<{ readonly output: string; readonly lines: ReadonlyArray<string> }> {}

describe("capped run errors", () => {
  it("keep an error and a cause of up to 64 KiB unchanged", () => {
    const error = { _tag: "E", text: "é".repeat(30_000) }
    const cause = "c".repeat(limit)
    const made = recorded("failure", error, cause)
    expect(made).toBeInstanceOf(Run.RunError)
    expect(made).toMatchObject({ kind: "failure", error, cause })
  })

  it("truncate a longer cause at a character boundary, with a mark", () => {
    for (const word of ["word ", "größe\n", "😀 ", "\0 ", "\ud800 ", "😀"]) {
      const text = word.repeat(200_000)
      const { cause } = recorded("failure", "e", text)
      const [begin = "", mark = ""] = cause.split(" … ")
      expect(bytes(cause)).toBeLessThanOrEqual(limit)
      expect(bytes(cause)).toBeGreaterThan(limit - 100)
      expect(text.startsWith(begin)).toBe(true)
      expect(mark).toBe(`[cut: ${bytes(begin)} of ${bytes(text)} bytes]`)
    }
  })

  it("reduce a larger error to its name and message, with a mark", () => {
    const error = new Failed({ output: "x".repeat(1_000_000), lines: Array.from({ length: 10_000 }, () => "line") })
    const made = recorded("failure", error, "c").error
    expect(made).toEqual({
      _tag: "Failed",
      name: "Failed",
      message: "",
      cut: expect.stringMatching(/^\d{7} bytes of JSON exceed the limit$/)
    })
    const long = Object.assign(new Error("m ".repeat(500_000)), { code: "\u0001".repeat(500_000), name: "N" })
    const parts = recorded("defect", long, "c").error
    expect(bytesOf(parts)).toBeLessThanOrEqual(limit)
    expect(parts).toMatchObject({
      name: "N",
      message: expect.stringMatching(/^(m )+m? … \[cut: \d+ of 1000000 bytes\]$/),
      code: expect.stringContaining("[cut: ")
    })
  })

  it("truncate an error that is a string, and drop one that is an array", () => {
    for (const text of ["word ".repeat(100_000), "\u0001".repeat(100_000)]) {
      const { error } = recorded("failure", text, "c")
      expect(bytesOf(error)).toBeLessThanOrEqual(limit + 2)
      expect(error).toContain("[cut: ")
    }
    const { error } = recorded(
      "failure",
      Array.from({ length: 100_000 }, (_, n) => n),
      "c"
    )
    expect(error).toEqual({ cut: "588891 bytes of JSON exceed the limit" })
  })
})
