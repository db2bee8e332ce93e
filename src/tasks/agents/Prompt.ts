/**
 * The prompt of an agent: the text of the task, its file and its gate, and the failure of the previous attempt, if there was one;
 * in a session that is resumed, only what has happened since its last turn.
 */
import { Option } from "effect"
import * as plainText from "../../internal/plainText.js"

export interface About {
  /** The text of the task file. */
  readonly text: string
  /** The task file, relative to the top level of the repository. */
  readonly file: string
  /** The command that must pass; undefined if the text says what happens after the turn. */
  readonly gate: string | undefined
  /** Files and keys to which no change counts. */
  readonly protected?: ReadonlyArray<string>
}

/** A failed attempt. */
export interface Previous {
  /** A short reason, such as `the gate exited with code 1`. */
  readonly reason: string
  /** The end of the output; empty if there was none, or it is unknown. */
  readonly tail: string
}

/** Unfinished work with which the working tree was made again. */
export interface Restored {
  /** What could not be put back. */
  readonly leftOut: ReadonlyArray<{ readonly path: string; readonly reason: string }>
}

/** The changes of a turn that were discarded with its working tree. */
export interface Discarded {
  /** What was wrong with the working tree. */
  readonly why: string
  /** The commit at which the working tree was made again. */
  readonly commit: string
  /** What keeps them. The text is missing if it is long. */
  readonly patch?: { readonly file: string; readonly text?: string | undefined } | undefined
}

/** A question that the agent has asked at the task, and what a person has answered. */
export interface Answered {
  readonly question: string
  readonly answer: string
}

export interface More {
  /** The last turn, if its changes were discarded. */
  readonly discarded?: Discarded | undefined
  /** The answers that the agent does not know yet. */
  readonly answers?: ReadonlyArray<Answered>
  /** Whether the agent may end its turn with a question. */
  readonly mayAsk?: boolean
  /** Whether the last turn has changed nothing. */
  readonly isUnchanged?: boolean
}

/** Begins the line with which an agent asks a person. */
export const questionMark = "QUESTION:"

/** Bytes of output in a prompt. The end is usually the most informative. */
const maxOutput = 8 * 1024
/** Characters to strip of control sequences; enough to leave `maxOutput`. */
const maxRead = 64 * 1024

export const make = (
  task: About,
  previous: Option.Option<Previous> = Option.none(),
  restored: Option.Option<Restored> = Option.none(),
  { answers = [], discarded, isUnchanged = false, mayAsk = false }: More = {}
): string =>
  [
    `${task.text.trimEnd()}\n`,
    ...about(task),
    ...(mayAsk ? [alone] : []),
    ...Option.toArray(Option.map(restored, madeAgain)),
    ...answers.map(answered),
    ...Option.toArray(Option.map(previous, (previous) => retry(previous, "A previous", discarded))),
    ...(discarded === undefined ? [] : [gone(discarded)]),
    ...(isUnchanged ? [unchanged] : [])
  ].join("\n")

/** What happened since the last turn of a session. */
export type Since = "cutOff" | "retried" | Previous

export const resume = (
  task: About,
  since: Since,
  restored: Option.Option<Restored> = Option.none(),
  { answers = [], discarded, isUnchanged = false, mayAsk = false }: More = {}
): string =>
  [
    // The turn that asked was not cut off.
    ...(answers.length > 0 && since === "cutOff" ? [] : [happened(task, since, { discarded, mayAsk })]),
    ...(discarded === undefined ? [] : [gone(discarded)]),
    ...Option.toArray(Option.map(restored, madeAgain)),
    ...answers.map(answered),
    ...(isUnchanged ? [unchanged] : [])
  ].join("\n")

const alone =
  "No person is there while you work: decide for yourself, and note what you assume. Only if you cannot go on without a person, " +
  `end your last message with a line that begins with \`${questionMark}\` and asks what you need to know. You get the answer in a later turn.\n`

const unchanged =
  "The last turn changed no file and made no commit, and the gate failed in the same way. Change what is needed; or, if you cannot " +
  `go on without a person, end your last message with a line that begins with \`${questionMark}\` and asks what you need to know.\n`

const answered = ({ answer, question }: Answered): string => {
  const text = plainText.strip(answer).trimEnd()
  return `You asked a person: ${plainText.line(question)}\n\nThe answer:\n\n${fenced(text)}`
}

const happened = (task: About, since: Since, { discarded, mayAsk = false }: More): string => {
  switch (since) {
    case "cutOff":
      return (
        "Your last turn at this task was cut off before it ended, for example by a usage limit or a restart. The commands that it " +
        "ran have ended. Look at the working tree, and finish the task.\n"
      )
    case "retried":
      return `This task is run again, and it may have changed. This is the task now:\n\n${make(task, undefined, undefined, { mayAsk })}`
    default:
      return retry(since, "Your last", discarded)
  }
}

/** How many files that were left out are named. */
const shown = 20

const madeAgain = ({ leftOut }: Restored): string => {
  const names = leftOut
    .slice(0, shown)
    .map(({ path, reason }) => `\n- ${plainText.line(path)}: ${plainText.line(reason)}`)
  const more = leftOut.length > names.length ? [`\n- and ${leftOut.length - names.length} more`] : []
  const missing = leftOut.length === 0 ? "" : `These were not saved:\n${[...names, ...more].join("")}\n`
  return (
    "Work on this task was begun before, and the working tree had to be made again. Its unfinished changes are there, all of them " +
    "uncommitted and unstaged, those of earlier commits of yours too. Files that git ignores and empty directories are gone.\n" +
    missing
  )
}

const about = ({ file, gate, protected: closed = [] }: About): ReadonlyArray<string> => {
  if (gate === undefined) return []
  const fence = fenceAround(gate)
  const names = closed.map((name) => `- ${plainText.line(name)}\n`)
  const untouched =
    closed.length === 0
      ? ""
      : `\nBefore the gate runs, files and keys that match these are put back to what they were when this task began:\n\n${names.join("")}`
  const text =
    `This task is ${plainText.line(file)}. It is done when its gate passes: after you exit, this command is run ` +
    "by sh at the top level of the repository and must exit with code 0. Everything in the working tree is then committed, " +
    `except changes to the plan files, which are restored.\n\n${fence}sh\n${gate.trimEnd()}\n${fence}\n${untouched}`
  return ["---\n", text]
}

const gone = ({ commit, patch, why }: Discarded): string => {
  const kept = patch === undefined ? "" : ` They are kept as a patch: ${plainText.line(patch.file)}`
  const intro =
    `The changes of the last turn at this task were discarded: ${plainText.line(why)}. The working tree was made again at commit ` +
    `${commit}, without them. Stay on its branch, only add commits to it, and leave no merge or rebase unfinished.${kept}\n`
  return patch?.text === undefined ? intro : `${intro}\n${fenced(plainText.strip(patch.text).trimEnd(), "diff")}`
}

const retry = ({ reason, tail }: Previous, which: string, discarded: Discarded | undefined): string => {
  const there = discarded === undefined ? "Its changes may still be in the working tree. " : ""
  const intro =
    `${which} attempt at this task failed: ${plainText.strip(reason)}. ` +
    `${there}Find out why it failed, and finish the task.\n`
  const text = last(plainText.strip(tail.slice(-maxRead))).trimEnd()
  return text === "" ? intro : `${intro}\nThe end of its output:\n\n${fenced(text)}`
}

const fenced = (text: string, language = "text"): string => {
  const fence = fenceAround(text)
  return `${fence}${language}\n${text}\n${fence}\n`
}

/** The end of a text, from the start of a line, or at least of a character. */
const last = (text: string): string => {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length <= maxOutput) return text
  const end = new TextDecoder().decode(bytes.subarray(-maxOutput)).replace(/^\uFFFD+/, "")
  const line = end.indexOf("\n")
  return line === -1 ? end : end.slice(line + 1)
}

/** A fence longer than any in the text, so that the text cannot close the block. */
const fenceAround = (text: string): string => {
  const longest = (text.match(/`+/g) ?? []).reduce((length, run) => Math.max(length, run.length), 2)
  return "`".repeat(longest + 1)
}
