/**
 * A summary for a person. Sentences are broken where the terminal ends; branches, files and commands never, as they are
 * to be copied.
 */
import type { RunStatus } from "../../domain/RunStatus.js"
import * as Line from "../Line.js"
import * as Words from "../Words.js"
import type { Failure, Summary } from "./Summary.js"

export const lines = (summary: Summary, columns: number): ReadonlyArray<Line.Line> => {
  const wrap = (line: Line.Line) => Line.wrap(line, columns - 4, 2)
  return [
    ...wrap(headline(summary)),
    ...part(table(facts(summary), columns - 4)),
    ...summary.failures.flatMap((failure) => part(failed(failure, wrap))),
    ...part(summary.notes.map(noted).flatMap(wrap)),
    ...part(next(summary))
  ]
}

/** With a blank line before it, if there is anything in it. */
export const part = (lines: ReadonlyArray<Line.Line>): ReadonlyArray<Line.Line> =>
  lines.length === 0 ? [] : [Line.empty, ...lines.map((line) => [Line.raw("  "), ...line])]

const mark = { good: Line.raw("✓ ", "good"), bad: Line.raw("✗ ", "bad"), warn: Line.raw("! ", "warn") }

export const headline = ({ duration, jobId, reason, status }: Summary): Line.Line => [
  status === "completed" ? mark.good : status === "failed" ? mark.bad : mark.warn,
  Line.raw(`${verbs[status]} ${Words.span(duration)}`, "strong"),
  Line.raw(`  job ${jobId}`, "faint"),
  ...(reason === undefined ? [] : [Line.raw(": "), Line.piece(reason)])
]

const verbs: { readonly [S in RunStatus]: string } = {
  completed: "completed in",
  failed: "failed after",
  cancelled: "cancelled after",
  interrupted: "interrupted after",
  pending: "not begun after",
  running: "still running after"
}

/** A name and what it stands for, if there is anything. */
export type Fact = readonly [name: string, value: string | undefined]

export const facts = ({ branch, commits, diff, landed, target, tasks, units }: Summary): ReadonlyArray<Fact> => [
  ["units", counts(units)],
  ["tasks", counts(tasks)],
  ["commits", branch === undefined ? undefined : String(commits)],
  ["landed", landed === undefined ? undefined : `on ${target}, at ${Words.short(landed)}`],
  ["result", branch],
  ["diff", diff]
]

/** The facts that are sentences. */
const sentences = ["units", "tasks"]

const nameWidth = 9

export const table = (facts: ReadonlyArray<Fact>, columns: number): ReadonlyArray<Line.Line> =>
  facts.flatMap(([name, value]) => {
    if (value === undefined || value === "") return []
    const line = [Line.raw(name.padEnd(nameWidth), "faint"), Line.piece(value)]
    return sentences.includes(name) ? Line.wrap(line, columns, nameWidth) : [line]
  })

/** As people say it, and in the order in which they want to know. */
const states: Readonly<Record<string, string>> = {
  merged: "merged",
  completed: "done",
  failed: "failed",
  blocked: "blocked",
  running: "not finished",
  pending: "not begun",
  skipped: "complete before"
}

const counts = (of: Readonly<Record<string, number>>): string =>
  Object.entries(states)
    .flatMap(([state, word]) => (of[state] === undefined ? [] : [`${of[state]} ${word}`]))
    .join(", ")

const place = (unit: string, task: number | undefined): Line.Piece =>
  Line.piece(task === undefined ? unit : `${unit} ${task}`, "name")

const noted = ({ note, task, unit }: Summary["notes"][number]): Line.Line => [
  mark.warn,
  place(unit, task),
  Line.raw("  "),
  Line.piece(note)
]

const failed = (
  { attempts, log, reason, task, title, unit }: Failure,
  wrap: (line: Line.Line) => ReadonlyArray<Line.Line>
): ReadonlyArray<Line.Line> => {
  const tries = attempts === undefined || attempts < 2 ? "" : `failed ${attempts} times: `
  return [
    ...wrap([mark.bad, place(unit, task), Line.raw("  "), Line.piece(title ?? reason, "strong")]),
    ...(title === undefined ? [] : wrap([Line.raw(`  ${tries}`), Line.piece(reason)])),
    ...(log === undefined ? [] : [[Line.raw("  log  ", "faint"), Line.piece(log)]])
  ]
}

export const next = ({ failures, next, status }: Summary): ReadonlyArray<Line.Line> => {
  if (next === undefined) return []
  const when = status === "failed" && failures.length > 0 ? "when that is mended, go on with" : "go on with"
  return [[Line.raw(`${when}  `, "faint"), Line.piece(next, "strong")]]
}
