import { describe, expect, it } from "@effect/vitest"
import { makeReader, readable } from "../../../../src/web/job/log/agentRecords.js"
import { textOf } from "../../../../src/web/job/log/ansi.js"

const read = (record: unknown) => readable(JSON.stringify(record)).map(textOf)

describe("records of agents, to be read", () => {
  it("has what Claude Code says, which tools it uses, and what they print", () => {
    const content = (...parts: ReadonlyArray<unknown>) => ({ content: parts })
    expect(read({ type: "assistant", message: content({ type: "text", text: "First.\nThen." }) })).toEqual([
      "First.",
      "Then."
    ])
    const input = { command: "npm test\nnpm run x", description: "d" }
    expect(read({ type: "assistant", message: content({ type: "tool_use", name: "Bash", input }) })).toEqual([
      "● Bash npm test"
    ])
    const output = Array.from({ length: 30 }, (_, at) => `line ${at}`).join("\n")
    const lines = read({
      type: "user",
      message: content({ type: "tool_result", content: [{ type: "text", text: output }] })
    })
    expect(lines).toHaveLength(13)
    expect(lines.at(-1)).toBe("    … 18 more lines")
    expect(read({ type: "result", is_error: false, duration_ms: 61_400, num_turns: 4, total_cost_usd: 0.256 })).toEqual(
      ["✓ done (61 s, 4 turns, $0.26)"]
    )
    expect(read({ type: "result", is_error: true, result: "limit reached" })).toEqual(["✗ limit reached (0 s)"])
  })

  it("has what Codex says, runs and changes", () => {
    expect(read({ type: "item.completed", item: { type: "agent_message", text: "Done." } })).toEqual(["Done."])
    expect(read({ type: "item.started", item: { type: "command_execution", command: "ls" } })).toEqual(["● exec ls"])
    expect(read({ type: "item.completed", item: { type: "command_execution", aggregated_output: "a\nb\n" } })).toEqual([
      "    a",
      "    b"
    ])
    expect(read({ type: "item.completed", item: { type: "file_change", changes: [{ path: "a.ts" }] } })).toEqual([
      "● edit a.ts"
    ])
    expect(read({ type: "turn.failed", error: { message: "no" } })).toEqual(["✗ no"])
  })

  it("leaves everything else as it is", () => {
    for (const line of ["plain", '{"type":"unknown"}', '{"type":"assistant"', '{"a":1}', ""]) {
      expect(readable(line)).toEqual([line])
    }
  })

  it("reads pieces that are cut anywhere, and holds back only what may become a record", () => {
    const encoder = new TextEncoder()
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
    const all = encoder.encode(
      '{"type":"assistant","message":{"content":[{"type":"text","text":"ä"}]}}\nplain {"a"\nend'
    )
    for (let cut = 0; cut <= all.length; cut++) {
      const reader = makeReader()
      const parts = [reader.read(all.subarray(0, cut)), reader.read(all.subarray(cut)), reader.flush()]
      expect(parts.map(decode).join("")).toBe('ä\nplain {"a"\nend')
      expect(reader.found()).toBe(true)
    }
    const reader = makeReader()
    expect(decode(reader.read(encoder.encode("10 %")))).toBe("10 %")
    expect(decode(reader.read(encoder.encode("\r20 %")))).toBe("\r20 %")
    expect(decode(reader.read(encoder.encode('\n{"type"')))).toBe("\n")
    expect(decode(reader.flush())).toBe('{"type"')
    expect(reader.found()).toBe(false)
  })

  it("holds back no more than a record may have", () => {
    const reader = makeReader()
    const piece = new Uint8Array(256 * 1024).fill(120)
    let passed = reader.read(new TextEncoder().encode('{"type":')).length
    for (let at = 0; at < 20; at++) passed += reader.read(piece).length
    expect(passed).toBe(8 + 20 * piece.length)
    expect(reader.flush()).toHaveLength(0)
  })
})
