/**
 * What an agent is told: the text of the task, its file and its gate, and from the second try on why the one before did not
 * pass.
 */
import { Option } from "effect"
import * as plainText from "../../internal/plainText.js"

export interface About {
  /** What is to be done. */
  readonly text: string
  /** The file of the task, from the top of the repository. */
  readonly file: string
  /** The command that has to pass. */
  readonly gate: string
}

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

export const make = (task: About, previous: Option.Option<Previous> = Option.none()): string =>
  [`${task.text.trimEnd()}\n\n---\n`, about(task), ...Option.toArray(Option.map(previous, retry))].join("\n")

const about = ({ file, gate }: About): string => {
  const fence = fenceAround(gate)
  return (
    `This task is ${plainText.line(file)}. It is done when its gate passes: this command, run by sh at the top of the ` +
    "repository once you have ended, has to exit with 0. All that you leave in the working tree is committed then, but " +
    `for changes to the files of the plan, which are put back.\n\n${fence}sh\n${gate.trimEnd()}\n${fence}\n`
  )
}

const retry = ({ reason, tail }: Previous): string => {
  const intro =
    `An earlier try at this task did not pass: ${plainText.strip(reason)}. ` +
    "What it has changed may still be here. Find out why it did not pass, and finish the task.\n"
  const text = last(plainText.strip(tail.slice(-maxRead))).trimEnd()
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
