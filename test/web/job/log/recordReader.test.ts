import { describe, expect, it } from "@effect/vitest"
import * as recordReader from "../../../../src/web/job/log/recordReader.js"

describe("a log with records of agents", () => {
  it("takes its colours from escape sequences, of which the text of a record adds none", () => {
    const reader = recordReader.make()
    const record = { type: "result", is_error: true, result: "\u001b]0;title\u0007no\u001b[2J" }
    const shown = reader.read(new TextEncoder().encode(`${JSON.stringify(record)}\n`))
    expect(new TextDecoder().decode(shown)).toBe("\u001b[31m✗ no (0 s)\u001b[0m\n")
  })

  it("reads pieces that are cut anywhere, and holds back only what may become a record", () => {
    const encoder = new TextEncoder()
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
    const all = encoder.encode(
      '{"type":"assistant","message":{"content":[{"type":"text","text":"ä"}]}}\nplain {"a"\nend'
    )
    for (let cut = 0; cut <= all.length; cut++) {
      const reader = recordReader.make()
      const parts = [reader.read(all.subarray(0, cut)), reader.read(all.subarray(cut)), reader.flush()]
      expect(parts.map(decode).join("")).toBe('ä\nplain {"a"\nend')
      expect(reader.found()).toBe(true)
    }
    const reader = recordReader.make()
    expect(decode(reader.read(encoder.encode("10 %")))).toBe("10 %")
    expect(decode(reader.read(encoder.encode("\r20 %")))).toBe("\r20 %")
    expect(decode(reader.read(encoder.encode('\n{"type"')))).toBe("\n")
    expect(decode(reader.flush())).toBe('{"type"')
    expect(reader.found()).toBe(false)
  })

  it("holds back no more than a record may have", () => {
    const reader = recordReader.make()
    const piece = new Uint8Array(256 * 1024).fill(120)
    let passed = reader.read(new TextEncoder().encode('{"type":')).length
    for (let at = 0; at < 20; at++) passed += reader.read(piece).length
    expect(passed).toBe(8 + 20 * piece.length)
    expect(reader.flush()).toHaveLength(0)
  })
})
