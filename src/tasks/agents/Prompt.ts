/**
 * What an agent is told: the text of the task, and from the second try on why the one before did not pass.
 */
import { Option } from "effect"
import * as PlainText from "./PlainText.js"

/** A try that did not pass. */
export interface Previous {
  /** Such as `the gate exited with code 1`. */
  readonly reason: string
  /** The end of what was printed; empty if that is not known, or was nothing. */
  readonly tail: string
}

/** Of the output, in bytes. The end of it tells most. */
const maxOutput = 8 * 1024
/** More than enough to be left with that much when all that is not text is taken out of it. */
const maxRead = 64 * 1024

export const make = (task: string, previous: Option.Option<Previous> = Option.none()): string =>
  Option.match(previous, { onNone: () => task, onSome: (previous) => `${task.trimEnd()}\n\n---\n\n${retry(previous)}` })

const retry = ({ reason, tail }: Previous): string => {
  const intro =
    `An earlier try at this task did not pass: ${PlainText.strip(reason)}. ` +
    "What it has changed may still be here. Find out why it did not pass, and finish the task.\n"
  const text = last(PlainText.strip(tail.slice(-maxRead))).trimEnd()
  if (text === "") return intro
  const fence = fenceAround(text)
  return `${intro}\nThe end of what was printed:\n\n${fence}text\n${text}\n${fence}\n`
}

/** The end of a text, beginning with a whole line, or at least with a whole character. */
const last = (text: string): string => {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length <= maxOutput) return text
  const end = new TextDecoder().decode(bytes.subarray(-maxOutput)).replace(/^\uFFFD+/, "")
  const line = end.indexOf("\n")
  return line === -1 ? end : end.slice(line + 1)
}

/** Longer than any that is in the text, so that nothing in it can end the block. */
const fenceAround = (text: string): string => {
  const longest = (text.match(/`+/g) ?? []).reduce((length, run) => Math.max(length, run.length), 2)
  return "`".repeat(longest + 1)
}
