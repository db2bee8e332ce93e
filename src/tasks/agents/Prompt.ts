/**
 * What an agent is told: the text of the task, and from the second try on why the one before did not pass.
 */
import * as PlainText from "./PlainText.js"

/** A try that did not pass. */
export interface Failure {
  /** Such as `the gate exited with code 1`. */
  readonly reason: string
  /** The end of what was printed. */
  readonly output: string
}

/** Of the output, in bytes. The end of it tells most. */
const maxOutput = 8 * 1024
/** More than enough to be left with that much when all that is not text is taken out of it. */
const maxRead = 64 * 1024

export const make = (task: string, failure?: Failure): string =>
  failure === undefined ? task : `${task.trimEnd()}\n\n${retry(failure)}`

const retry = ({ output, reason }: Failure): string => {
  const text = tail(PlainText.strip(output.slice(-maxRead)).trimEnd())
  const intro =
    "---\n\n" +
    `An earlier try at this task did not pass: ${PlainText.strip(reason)}. ` +
    "What it has changed is still here. Find out why it did not pass, and finish the task.\n"
  if (text.trim() === "") return `${intro}\nIt printed nothing.\n`
  const fence = fenceAround(text)
  return `${intro}\nThe end of what was printed:\n\n${fence}text\n${text}\n${fence}\n`
}

/** The last of it, beginning with a whole line, or at least with a whole character. */
const tail = (text: string): string => {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length <= maxOutput) return text
  const last = new TextDecoder().decode(bytes.subarray(-maxOutput)).replace(/^\uFFFD+/, "")
  const line = last.indexOf("\n")
  return line === -1 ? last : last.slice(line + 1)
}

/** Longer than any that is in the text, so that nothing in it can end the block. */
const fenceAround = (text: string): string => {
  const longest = (text.match(/`+/g) ?? []).reduce((length, run) => Math.max(length, run.length), 2)
  return "`".repeat(longest + 1)
}
