/**
 * Renders records of agents as readable lines in styled pieces: Claude Code's `--output-format stream-json` and `codex exec --json`.
 * All text is cleaned of control sequences first, so that only the pieces style it.
 */
import { strip } from "../internal/plainText.js"
import * as payload from "./payload.js"
import * as why from "./reason.js"

export interface Piece {
  readonly text: string
  readonly style: "plain" | "strong" | "faint" | "bad" | "name"
}

export type Line = ReadonlyArray<Piece>

/** A part of a record: what the agent says or thinks, a tool that it uses, what the tool prints, and how the turn begins and ends. */
interface Part {
  readonly kind: "said" | "tool" | "output" | "frame"
  readonly lines: ReadonlyArray<Line>
}

const piece = (style: Piece["style"], text: string): Piece => ({ style, text })

const linesOf = (text: string): ReadonlyArray<string> =>
  strip(text)
    .trimEnd()
    .split("\n")
    .map((line) => line.replaceAll("\t", "    "))

const lines = (text: string, style: Piece["style"] = "plain"): ReadonlyArray<Line> =>
  linesOf(text).map((line) => [piece(style, line)])

/** Further lines of a tool's output are only counted; the raw log has them. */
const mostLines = 12

const cutLines = (text: string): ReadonlyArray<string> => {
  const lines = linesOf(text)
  const rest = lines.length - mostLines
  return rest <= 1 ? lines : [...lines.slice(0, mostLines), `… ${rest} more lines`]
}

const said = (text: string): Part => ({ kind: "said", lines: lines(text) })

const frame = (style: Piece["style"], text: string): Part => ({ kind: "frame", lines: lines(text, style) })

/** What went wrong, which may quote the response of a service. */
const problem = (text: string): Part =>
  frame(
    "bad",
    linesOf(text)
      .map((line) => (line.includes("{") ? why.text(line) : line))
      .join("\n")
  )

const output = (text: string, style: Piece["style"]): ReadonlyArray<Part> =>
  text === "" ? [] : [{ kind: "output", lines: cutLines(text).map((line) => [piece(style, `    ${line}`)]) }]

const tool = (name: string, about: string): Part => ({
  kind: "tool",
  lines: [[piece("name", linesOf(`● ${name}`).join(" ")), piece("plain", ` ${linesOf(about)[0] ?? ""}`.slice(0, 300))]]
})

/** The most informative field of a tool's input, or the whole input. */
const summary = (input: unknown): string => {
  for (const name of ["command", "file_path", "path", "pattern", "query", "url", "description", "prompt"]) {
    const value = payload.string(input, name)
    if (value !== undefined) return value
  }
  return JSON.stringify(input) ?? ""
}

const texts = (content: unknown): string => {
  if (typeof content === "string") return content
  return Array.isArray(content) ? content.map((part) => payload.string(part, "text") ?? "").join("\n") : ""
}

const claudePart = (part: unknown): ReadonlyArray<Part> => {
  switch (payload.string(part, "type")) {
    case "text":
      return [said(payload.string(part, "text") ?? "")]
    case "thinking":
      return output(payload.string(part, "thinking") ?? "", "faint")
    case "tool_use":
      return [tool(payload.string(part, "name") ?? "tool", summary(payload.json(part, "input")))]
    case "tool_result":
      return output(texts(payload.json(part, "content")), payload.json(part, "is_error") === true ? "bad" : "faint")
    default:
      return []
  }
}

/** Without its money, which is that of the whole session: `task.spent` has that of the turn. */
const claudeResult = (record: unknown): Part => {
  const seconds = Math.round((payload.number(record, "duration_ms") ?? 0) / 1000)
  const turns = payload.number(record, "num_turns")
  const parts = [`${seconds} s`, ...(turns === undefined ? [] : [`${turns} turns`])]
  const failed = payload.json(record, "is_error") === true
  return failed
    ? problem(`✗ ${payload.string(record, "result") ?? "failed"} (${parts.join(", ")})`)
    : frame("strong", `✓ done (${parts.join(", ")})`)
}

const codexItem = (type: string, item: unknown): ReadonlyArray<Part> => {
  const isDone = type === "item.completed"
  switch (payload.string(item, "type")) {
    case "agent_message":
      return isDone ? [said(payload.string(item, "text") ?? "")] : []
    case "reasoning":
      return isDone ? output(payload.string(item, "text") ?? "", "faint") : []
    case "command_execution": {
      if (type === "item.started") return [tool("exec", summary(item))]
      const failed = (payload.number(item, "exit_code") ?? 0) !== 0
      return isDone ? output(payload.string(item, "aggregated_output") ?? "", failed ? "bad" : "faint") : []
    }
    case "file_change":
      return isDone
        ? payload.list(item, "changes").map((change) => tool("edit", payload.string(change, "path") ?? ""))
        : []
    case "error":
      return [problem(payload.string(item, "message") ?? "error")]
    default:
      return []
  }
}

/** Undefined for records of an unknown type. */
const known = (record: unknown): ReadonlyArray<Part> | undefined => {
  const type = payload.string(record, "type") ?? ""
  switch (type) {
    case "system":
      return payload.string(record, "subtype") === "init"
        ? [frame("faint", `model ${payload.string(record, "model") ?? "?"}`)]
        : []
    case "assistant":
    case "user":
      return payload.list(payload.json(record, "message"), "content").flatMap(claudePart)
    case "result":
      return [claudeResult(record)]
    case "rate_limit_event":
    case "thread.started":
    case "turn.started":
    case "turn.completed":
      return []
    case "turn.failed":
      return [problem(`✗ ${payload.string(payload.json(record, "error"), "message") ?? "failed"}`)]
    case "error": {
      const message = payload.string(record, "message")
      return message === undefined ? undefined : [problem(message)]
    }
    case "item.started":
    case "item.updated":
    case "item.completed":
      return codexItem(type, payload.json(record, "item"))
    default:
      return undefined
  }
}

/** Longer records are neither parsed nor buffered. */
const longest = 4 * 1024 * 1024

const start = '{"type":'

const partsOf = (line: string): ReadonlyArray<Part> | undefined => {
  if (!line.startsWith(start) || line.length > longest) return undefined
  try {
    return known(JSON.parse(line))
  } catch {
    return cutOff(line)
  }
}

/** What a record of which the rest is missing says. */
const cutOff = (line: string): ReadonlyArray<Part> | undefined => {
  const [, type] = /^\{"type":"([\w.]+)"/.exec(line) ?? []
  return type === undefined || known({ type }) === undefined ? undefined : [frame("faint", `${why.text(line)}…`)]
}

/** Whether an incomplete line may become a record. */
export const mayBeRecord = (line: string): boolean =>
  line.length <= longest && (line.length < start.length ? start.startsWith(line) : line.startsWith(start))

/** The readable lines of a record; undefined for a line that is not a record of an agent. */
export const readable = (line: string): ReadonlyArray<Line> | undefined => partsOf(line)?.flatMap(({ lines }) => lines)

/** The last tool that an agent has used, or the last line of what it has said; undefined if neither is in the output. */
export const latest = (output: string): string | undefined => {
  for (const line of output.split("\n").reverse()) {
    const parts = partsOf(line) ?? (line.startsWith("{") ? [] : [said(line)])
    for (const { kind, lines } of [...parts].reverse()) {
      if (kind !== "said" && kind !== "tool") continue
      const text = lines
        .map((line) =>
          line
            .map(({ text }) => text)
            .join("")
            .trim()
        )
        .findLast((text) => text !== "")
      if (text !== undefined) return text
    }
  }
  return undefined
}
