/**
 * Renders records of agents as readable lines: Claude Code's `--output-format stream-json` and `codex exec --json`. Everything else
 * stays as it is.
 */
import * as payload from "../../../progress/payload.js"

const dim = (text: string): string => `\u001b[2m${text}\u001b[0m`
const bold = (text: string): string => `\u001b[1m${text}\u001b[0m`
const red = (text: string): string => `\u001b[31m${text}\u001b[0m`
const cyan = (text: string): string => `\u001b[36m${text}\u001b[0m`

/** Further lines of a tool's output are only counted; the raw log has them. */
const mostLines = 12

const cutLines = (text: string): ReadonlyArray<string> => {
  const lines = text.replace(/\n+$/, "").split("\n")
  const rest = lines.length - mostLines
  return rest <= 1 ? lines : [...lines.slice(0, mostLines), `… ${rest} more lines`]
}

const indented = (text: string, style: (line: string) => string): ReadonlyArray<string> =>
  text === "" ? [] : cutLines(text).map((line) => style(`    ${line}`))

/** The most informative field of a tool's input, or the whole input. */
const summary = (input: unknown): string => {
  for (const name of ["command", "file_path", "path", "pattern", "query", "url", "description", "prompt"]) {
    const value = payload.string(input, name)
    if (value !== undefined) return (value.split("\n")[0] ?? "").slice(0, 300)
  }
  return (JSON.stringify(input) ?? "").slice(0, 300)
}

const texts = (content: unknown): string => {
  if (typeof content === "string") return content
  return Array.isArray(content) ? content.map((part) => payload.string(part, "text") ?? "").join("\n") : ""
}

const claudePart = (part: unknown): ReadonlyArray<string> => {
  switch (payload.string(part, "type")) {
    case "text":
      return (payload.string(part, "text") ?? "").split("\n")
    case "thinking":
      return indented(payload.string(part, "thinking") ?? "", dim)
    case "tool_use":
      return [`${cyan(`● ${payload.string(part, "name") ?? "tool"}`)} ${summary(payload.json(part, "input"))}`]
    case "tool_result":
      return indented(texts(payload.json(part, "content")), payload.json(part, "is_error") === true ? red : dim)
    default:
      return []
  }
}

const claudeResult = (record: unknown): string => {
  const seconds = Math.round((payload.number(record, "duration_ms") ?? 0) / 1000)
  const turns = payload.number(record, "num_turns")
  const cost = payload.number(record, "total_cost_usd")
  const parts = [
    `${seconds} s`,
    ...(turns === undefined ? [] : [`${turns} turns`]),
    ...(cost === undefined ? [] : [`$${cost.toFixed(2)}`])
  ]
  const failed = payload.json(record, "is_error") === true
  return failed
    ? red(`✗ ${payload.string(record, "result") ?? "failed"} (${parts.join(", ")})`)
    : bold(`✓ done (${parts.join(", ")})`)
}

const codexItem = (type: string, item: unknown): ReadonlyArray<string> => {
  const isDone = type === "item.completed"
  switch (payload.string(item, "type")) {
    case "agent_message":
      return isDone ? (payload.string(item, "text") ?? "").split("\n") : []
    case "reasoning":
      return isDone ? indented(payload.string(item, "text") ?? "", dim) : []
    case "command_execution": {
      if (type === "item.started") return [`${cyan("● exec")} ${summary(item)}`]
      const failed = (payload.number(item, "exit_code") ?? 0) !== 0
      return isDone ? indented(payload.string(item, "aggregated_output") ?? "", failed ? red : dim) : []
    }
    case "file_change":
      return isDone
        ? payload.list(item, "changes").map((change) => `${cyan("● edit")} ${payload.string(change, "path") ?? ""}`)
        : []
    case "error":
      return [red(payload.string(item, "message") ?? "error")]
    default:
      return []
  }
}

/** Undefined for records of an unknown type. */
const known = (record: unknown): ReadonlyArray<string> | undefined => {
  const type = payload.string(record, "type") ?? ""
  switch (type) {
    case "system":
      return payload.string(record, "subtype") === "init"
        ? [dim(`model ${payload.string(record, "model") ?? "?"}`)]
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
      return [red(`✗ ${payload.string(payload.json(record, "error"), "message") ?? "failed"}`)]
    case "error": {
      const message = payload.string(record, "message")
      return message === undefined ? undefined : [red(message)]
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

/** Undefined for a line that is not a record. */
const ofRecord = (line: string): ReadonlyArray<string> | undefined => {
  if (!line.startsWith('{"type":') || line.length > longest) return undefined
  try {
    return known(JSON.parse(line))
  } catch {
    return undefined
  }
}

export const readable = (line: string): ReadonlyArray<string> => ofRecord(line) ?? [line]

/** A stage before the text of a log: converts its bytes into a readable log. */
export interface Reader {
  readonly read: (bytes: Uint8Array) => Uint8Array
  /** Returns the text that was buffered because it could have become a record. */
  readonly flush: () => Uint8Array
  /** Whether any record was found. */
  readonly found: () => boolean
}

export const makeReader = (): Reader => {
  const decoder = new TextDecoder()
  const encoder = new TextEncoder()
  /** The incomplete last line, which may become a record. */
  let held = ""
  /** Whether the start of the current line was passed on. */
  let isOpen = false
  let found = false
  return {
    read: (bytes) => {
      const lines = (held + decoder.decode(bytes, { stream: true })).split("\n")
      const rest = lines.pop() ?? ""
      const read = lines.flatMap((line, at) => {
        const record = at === 0 && isOpen ? undefined : ofRecord(line)
        found ||= record !== undefined
        return record ?? [line]
      })
      if (lines.length > 0) isOpen = false
      const isText = isOpen || (rest !== "" && !rest.startsWith("{")) || rest.length > longest
      held = isText ? "" : rest
      isOpen = isText
      return encoder.encode(read.map((line) => `${line}\n`).join("") + (isText ? rest : ""))
    },
    flush: () => {
      const rest = held
      held = ""
      return encoder.encode(isOpen ? rest : readable(rest).join("\n"))
    },
    found: () => found
  }
}
