/**
 * Makes records of agents readable as a log arrives. Everything else stays as it is.
 */
import * as agentRecords from "../../../progress/agentRecords.js"

/** The escape sequences from which the log takes its colours. */
const codes: { readonly [S in agentRecords.Piece["style"]]: string } = {
  plain: "",
  strong: "\u001b[1m",
  faint: "\u001b[2m",
  bad: "\u001b[31m",
  name: "\u001b[36m"
}

const paint = (line: agentRecords.Line): string =>
  line.map(({ style, text }) => (style === "plain" ? text : `${codes[style]}${text}\u001b[0m`)).join("")

const ofRecord = (line: string): ReadonlyArray<string> | undefined => agentRecords.readable(line)?.map(paint)

/** A stage before the text of a log: converts its bytes into a readable log. */
export interface Reader {
  readonly read: (bytes: Uint8Array) => Uint8Array
  /** Returns the text that was buffered because it could have become a record. */
  readonly flush: () => Uint8Array
  /** Whether any record was found. */
  readonly found: () => boolean
}

export const make = (): Reader => {
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
      const isText = isOpen || (rest !== "" && !agentRecords.mayBeRecord(rest))
      held = isText ? "" : rest
      isOpen = isText
      return encoder.encode(read.map((line) => `${line}\n`).join("") + (isText ? rest : ""))
    },
    flush: () => {
      const rest = held
      held = ""
      return encoder.encode(isOpen ? rest : (ofRecord(rest) ?? [rest]).join("\n"))
    },
    found: () => found
  }
}
