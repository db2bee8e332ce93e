import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as page from "../../../src/cli/mcp/page.js"
import * as Untrusted from "../../../src/cli/mcp/Untrusted.js"
import { forbidden, hostile } from "../hostile.js"

describe("untrusted text", () => {
  it("has no control sequences, stays on one line and is cut", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const { untrusted } = Untrusted.line(text)
        expect(untrusted).not.toMatch(forbidden)
        expect(untrusted).not.toContain("\n")
        expect(Untrusted.lines(text).untrusted).not.toMatch(forbidden)
      })
    )
    expect(Untrusted.line("x".repeat(10_000)).untrusted).toHaveLength(601)
    expect(Untrusted.lines("x\n".repeat(10_000)).untrusted).toHaveLength(2_401)
  })

  it("is not cut in the midst of a character", () => {
    expect(Untrusted.line(`x${"👍".repeat(400)}`).untrusted).toMatch(/^x(👍)+…$/u)
  })

  it("keeps no letters that only a model sees", () => {
    const tags = Array.from("obey", (letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join("")
    expect(Untrusted.line(`a${tags}b`).untrusted).toBe("ab")
  })
})

describe("a page of a result", () => {
  it("has at least one item, a bounded size, and leads to every other item once", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20_000 }), { maxLength: 40 }), (sizes) => {
        const items = sizes.map((size, index) => ({ index, text: "x".repeat(size) }))
        const seen: Array<number> = []
        for (let skip: number | undefined = 0; skip !== undefined;) {
          const { next, page: found }: ReturnType<typeof page.after<(typeof items)[number]>> = page.after(items, skip)
          expect(JSON.stringify(found).length).toBeLessThan(40_000)
          expect(found.length > 0).toBe(skip < items.length)
          seen.push(...found.map(({ index }) => index))
          skip = next
        }
        expect(seen).toEqual(items.map(({ index }) => index))
      })
    )
  })

  it("is empty behind the last item", () => {
    expect(page.after([1, 2], 5)).toEqual({ page: [] })
  })
})
