/** The sessions that agents name, and those that cannot go on. */
import { describe, expect, it } from "@effect/vitest"
import { Option } from "effect"
import { readFileSync } from "node:fs"
import * as Session from "../../../src/tasks/agents/Session.js"

const transcript = (file: string) => readFileSync(new URL(`./transcripts/${file}`, import.meta.url), "utf8")

const line = (record: object) => `${JSON.stringify(record)}\n`

describe("Session.idIn", () => {
  it("reads the session that the first records of a turn name", () => {
    const claude = transcript("claude-rate-limit-event.jsonl")
    expect(Session.idIn("claude-stream-json", claude)).toEqual(Option.some("0d0c5d5a-4c6b-4a55-9f1c-2b9a2f6f8e11"))
    const codex = transcript("codex-unknown.jsonl")
    expect(Session.idIn("codex-json", `a warning\n${codex}`)).toEqual(
      Option.some("019a77e4-0716-7152-8396-b642e26c3e20")
    )
  })

  it("is none without such a record, in another format, and for what could be a flag", () => {
    expect(Session.idIn("codex-json", transcript("claude-401.jsonl"))).toEqual(Option.none())
    expect(Session.idIn("text", transcript("claude-401.jsonl"))).toEqual(Option.none())
    expect(Session.idIn("claude-stream-json", "")).toEqual(Option.none())
    for (const session_id of ["--help", "", "a b", "x".repeat(129)])
      expect(Session.idIn("claude-stream-json", line({ type: "system", session_id }))).toEqual(Option.none())
  })
})

describe("Session.isUnusable", () => {
  it("recognizes a session that is unknown, too long or refused", () => {
    // https://code.claude.com/docs/en/errors, https://github.com/anthropics/claude-code/issues/62851
    const error = "No conversation found with session ID: 35814092-99b2-4a66-99e1-1dc2cbd7fc10"
    for (const output of [
      error,
      line({ type: "result", subtype: "error_during_execution", is_error: true, errors: [error] }),
      line({ type: "result", is_error: true, result: "Prompt is too long" }),
      line({ type: "result", is_error: true, result: "Context limit reached · /compact or /clear to continue" }),
      line({ type: "result", is_error: true, result: "API Error: 400 orphaned tool_result in conversation history" }),
      // https://github.com/RunMaestro/Maestro/pull/1043
      "Error: thread/resume: thread/resume failed: no rollout found for thread id 019e9154 (code -32600)",
      // https://github.com/openai/codex/issues/19661
      line({ type: "turn.failed", error: { message: "Missing required parameter: 'input[4].encrypted_content'." } }),
      transcript("codex-unknown.jsonl")
    ])
      expect([output, Session.isUnusable(output)]).toEqual([output, true])
  })

  it("is false for other failures, and for what the model or a tool says", () => {
    const text = "No conversation found with session ID: 1"
    for (const output of [
      transcript("claude-max-turns.jsonl"),
      transcript("codex-disconnected.jsonl"),
      line({ type: "assistant", message: { content: [{ type: "text", text }] } }),
      line({ type: "item.completed", item: { type: "agent_message", text } }),
      ""
    ])
      expect([output, Session.isUnusable(output)]).toEqual([output, false])
  })
})
