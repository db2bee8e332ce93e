/**
 * Whether the output of a turn shows that the model has answered, what the agent itself says about its failure, and what it said last.
 *
 * A turn that fails before the model has answered says nothing about its task: the agent could not start, crashed, or was refused in
 * words that Charlotte does not know.
 */
import { Option, Schema } from "effect"
import * as plainText from "../../internal/plainText.js"
import type { Format } from "./Profile.js"
import { questionMark } from "./Prompt.js"

export interface Output {
  /** The format in which the agent reports failures, if it does. */
  readonly format: Format | undefined
  /** The end of its output, and the size of all of it in bytes. */
  readonly tail: string
  readonly size: number
}

const ClaudeRecord = Schema.Union(
  Schema.Struct({
    type: Schema.Literal("assistant"),
    error: Schema.optional(Schema.NullOr(Schema.String)),
    message: Schema.Struct({
      /** `<synthetic>` in messages of the client. */
      model: Schema.optional(Schema.NullOr(Schema.String)),
      content: Schema.optional(Schema.NullOr(Schema.Union(Schema.String, Schema.Array(Schema.Unknown))))
    })
  }),
  Schema.Struct({
    type: Schema.Literal("result"),
    is_error: Schema.optional(Schema.Boolean),
    subtype: Schema.optional(Schema.String),
    result: Schema.optional(Schema.NullOr(Schema.String)),
    errors: Schema.optional(Schema.NullOr(Schema.Array(Schema.String))),
    usage: Schema.optional(Schema.NullOr(Schema.Struct({ output_tokens: Schema.optional(Schema.Number) })))
  })
)

const CodexRecord = Schema.Union(
  Schema.Struct({
    type: Schema.Literal("item.started", "item.updated", "item.completed"),
    item: Schema.Struct({ type: Schema.optional(Schema.String), text: Schema.optional(Schema.String) })
  }),
  Schema.Struct({ type: Schema.Literal("turn.completed") }),
  Schema.Struct({ type: Schema.Literal("turn.failed"), error: Schema.Struct({ message: Schema.String }) }),
  Schema.Struct({ type: Schema.Literal("error"), message: Schema.String })
)

const decodeClaude = Schema.decodeOption(Schema.parseJson(ClaudeRecord))
const decodeCodex = Schema.decodeOption(Schema.parseJson(CodexRecord))

const isOfClaude = (record: typeof ClaudeRecord.Type): boolean =>
  record.type === "assistant"
    ? record.message.model !== "<synthetic>" && !record.error && (record.message.content ?? "").length > 0
    : record.is_error === false || (record.usage?.output_tokens ?? 0) > 0

/** An item may also be an error of the client, such as a server of tools that did not start. */
const isOfCodex = (record: typeof CodexRecord.Type): boolean =>
  record.type === "turn.completed" || ("item" in record && record.item.type !== "error")

/** Undefined if the format does not show it. */
export const read = ({ format, size, tail }: Output): boolean | undefined => {
  if (format === undefined || format === "text") return undefined
  // An agent that was refused prints less. The answer may be in the part that was cut off.
  if (Buffer.byteLength(tail) < size) return true
  return format === "claude-stream-json"
    ? records(tail, decodeClaude).some(isOfClaude)
    : records(tail, decodeCodex).some(isOfCodex)
}

const decodeText = Schema.decodeUnknownOption(Schema.Struct({ type: Schema.Literal("text"), text: Schema.String }))

const textsOf = (content: string | ReadonlyArray<unknown>): ReadonlyArray<string> =>
  typeof content === "string"
    ? [content]
    : content.flatMap((part) => Option.toArray(Option.map(decodeText(part), ({ text }) => text)))

/** Longer messages are cut. */
const longestSaid = 2_000

/** The last message of the agent, cleaned; undefined if its output does not show it, as in a format without records. */
const lastMessage = ({ format, tail }: Pick<Output, "format" | "tail">): string | undefined => {
  const texts =
    format === "claude-stream-json"
      ? records(tail, decodeClaude).flatMap((record) =>
          record.type === "assistant" && isOfClaude(record) ? [textsOf(record.message.content ?? "").join("\n")] : []
        )
      : format === "codex-json"
        ? records(tail, decodeCodex).flatMap((record) =>
            record.type === "item.completed" && record.item.type === "agent_message" ? [record.item.text ?? ""] : []
          )
        : []
  return texts.map((text) => plainText.strip(text).trim()).findLast((text) => text !== "")
}

/** What the agent said last, if its output shows it. */
export const said = (output: Output): string | undefined => {
  const text = lastMessage(output)
  return text === undefined || text.length <= longestSaid ? text : `${text.slice(0, longestSaid)}…`
}

/** Whether the output of the format shows what the agent says. */
export const hasMessages = (format: Format | undefined): boolean => format !== undefined && format !== "text"

/** Longer questions are cut. */
const longestQuestion = 4_000

/** The question that the last line of the agent's last message asks a person. */
export const question = (output: Pick<Output, "format" | "tail">): string | undefined => {
  // Agents write Markdown.
  const last =
    lastMessage(output)
      ?.split("\n")
      .at(-1)
      ?.replace(/^[\s*_>`#-]+/, "") ?? ""
  if (!last.startsWith(questionMark)) return undefined
  const text = last.slice(questionMark.length).replace(/^[\s*_`]+|[\s*_`]+$/g, "")
  return text === "" ? undefined : text.slice(0, longestQuestion)
}

/** The agent's own message about its failure, if one of its records has one. */
export const message = ({ format, tail }: Output): string | undefined => {
  switch (format) {
    case "claude-stream-json": {
      const result = records(tail, decodeClaude).findLast((record) => record.type === "result")
      return result?.type === "result"
        ? [result.result, result.errors?.join("; "), result.subtype].find((text) => text)?.trim()
        : undefined
    }
    case "codex-json": {
      const failed = records(tail, decodeCodex).findLast(({ type }) => type === "turn.failed" || type === "error")
      if (failed?.type === "error") return failed.message.trim()
      return failed?.type === "turn.failed" ? failed.error.message.trim() : undefined
    }
    default:
      return undefined
  }
}

const records = <A>(text: string, decode: (line: string) => Option.Option<A>): ReadonlyArray<A> =>
  text.split("\n").flatMap((line) => (line.startsWith("{") ? Option.toArray(decode(line)) : []))

/** A message without its words that hold a digit, such as times and ids: what two failures of one cause have in common. */
export const wording = (message: string): string =>
  message
    .split(/\s+/)
    .filter((word) => !/\d/.test(word))
    .join(" ")
