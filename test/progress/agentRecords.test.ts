import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { latest, type Line, readable } from "../../src/progress/agentRecords.js"

const textOf = (line: Line) => line.map(({ text }) => text).join("")

const read = (record: unknown) => readable(JSON.stringify(record))?.map(textOf)

const assistant = (...content: ReadonlyArray<unknown>) => ({ type: "assistant", message: { content } })

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
    expect(lines?.at(-1)).toBe("    … 18 more lines")
    expect(read({ type: "result", is_error: false, duration_ms: 61_400, num_turns: 4, total_cost_usd: 0.256 })).toEqual(
      ["✓ done (61 s, 4 turns)"]
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

  it("says which lines are no records", () => {
    for (const line of [
      "plain",
      '{"type":"unknown"}',
      '{"type":"unknown","text":"cut',
      '{"type":"assis',
      '{"a":1}',
      ""
    ]) {
      expect(readable(line)).toBeUndefined()
    }
  })

  it("has what a record says that is cut off, or that quotes the response of a service", () => {
    const cut = JSON.stringify(assistant({ type: "text", text: "I begin." })).slice(0, -8)
    expect(readable(cut)?.map(textOf)).toEqual(["I beg…"])
    expect(readable('{"type":"assistant"')?.map(textOf)).toEqual(["…"])
    const response = JSON.stringify({ type: "error", error: { type: "invalid", message: "too large" } })
    expect(read({ type: "result", is_error: true, result: `API Error: 400 ${response}` })).toEqual([
      "✗ API Error: 400 too large (0 s)"
    ])
    expect(read({ type: "turn.failed", error: { message: `status 400: ${response}` } })).toEqual([
      "✗ status 400: too large"
    ])
  })

  it("cleans all text before it is styled", () => {
    const evil = "\u001b]8;;javascript:alert(1)\u0007link\u001b]8;;\u0007\u001b[2J\u001b[31mred\u202e\tx\u009b2J"
    const clean = "linkred    x"
    expect(read(assistant({ type: "text", text: evil }))).toEqual([clean])
    expect(read(assistant({ type: "thinking", thinking: evil }))).toEqual([`    ${clean}`])
    expect(read(assistant({ type: "tool_use", name: evil, input: { command: evil } }))).toEqual([`● ${clean} ${clean}`])
    expect(read({ type: "user", message: { content: [{ type: "tool_result", content: evil }] } })).toEqual([
      `    ${clean}`
    ])
    expect(read({ type: "result", is_error: true, result: evil })).toEqual([`✗ ${clean} (0 s)`])
    expect(read({ type: "system", subtype: "init", model: evil })).toEqual([`model ${clean}`])
    expect(read({ type: "turn.failed", error: { message: evil } })).toEqual([`✗ ${clean}`])
    expect(read({ type: "error", message: evil })).toEqual([clean])
  })

  it("neither fails on a record with any fields, nor passes on a control character", () => {
    const types = ["system", "assistant", "user", "result", "turn.failed", "error", "item.started", "item.completed"]
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("\u001b[2J", "a\u001b]0;t\u0007b"))
    const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 2 },
        text,
        fc.jsonValue(),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom(
            "type",
            "text",
            "content",
            "message",
            "item",
            "input",
            "command",
            "result",
            "is_error",
            "name"
          ),
          fc.oneof(
            tie("value"),
            fc.constantFrom("text", "tool_use", "tool_result", "agent_message", "command_execution")
          )
        )
      )
    })).value
    const record = fc.tuple(fc.constantFrom(...types), value, value, value)
    fc.assert(
      fc.property(record, ([type, message, result, item]) => {
        const shown = readable(JSON.stringify({ type, message, result, item, is_error: true })) ?? []
        // oxlint-disable-next-line eslint/no-control-regex -- these are the characters that a terminal obeys
        expect(shown.map(textOf).join("")).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
      })
    )
  })

  it("says what an agent did last: a tool, or the last line that it said", () => {
    const lines = (...records: ReadonlyArray<unknown>) =>
      records.map((record) => `${JSON.stringify(record)}\n`).join("")
    const tool = { type: "tool_use", name: "Bash", input: { command: "npm test" } }
    const printed = { type: "user", message: { content: [{ type: "tool_result", content: "1 failed" }] } }
    expect(latest("")).toBeUndefined()
    expect(latest(lines({ type: "system", subtype: "init", model: "m" }))).toBeUndefined()
    expect(latest(lines(assistant({ type: "text", text: "I begin.\nNow the tests.\n" })))).toBe("Now the tests.")
    expect(latest(lines(assistant({ type: "text", text: "I begin." }, tool), printed))).toBe("● Bash npm test")
    expect(latest(`${lines(assistant(tool))}{"type":"assis`)).toBe("● Bash npm test")
    expect(latest("compiling\n\u001b[31mdone\u001b[0m\n\n")).toBe("done")
  })
})
