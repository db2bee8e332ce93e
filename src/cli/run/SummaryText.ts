/**
 * A summary for a person. Sentences are broken where the terminal ends; branches, files and commands never, as they are
 * to be copied.
 */
import type { RunStatus } from "../../domain/RunStatus.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as format from "../terminal/format.js"
import type { Failure, Summary } from "./Summary.js"

export const lines = (summary: Summary, columns: number): ReadonlyArray<StyledLine.Line> => {
  const wrap = (line: StyledLine.Line) => StyledLine.wrap(line, columns - 4, 2)
  return [
    ...wrap(headline(summary)),
    ...part(table(facts(summary), columns - 4)),
    ...summary.failures.flatMap((failure) => part(failed(failure, wrap))),
    ...part(summary.notes.map(noted).flatMap(wrap)),
    ...part(next(summary))
  ]
}

/** With a blank line before it, if there is anything in it. */
export const part = (lines: ReadonlyArray<StyledLine.Line>): ReadonlyArray<StyledLine.Line> =>
  lines.length === 0 ? [] : [StyledLine.empty, ...lines.map((line) => [StyledLine.raw("  "), ...line])]

const mark = {
  good: StyledLine.raw("✓ ", "good"),
  bad: StyledLine.raw("✗ ", "bad"),
  warn: StyledLine.raw("! ", "warn")
}

export const headline = ({ duration, jobId, reason, status }: Summary): StyledLine.Line => [
  status === "completed" ? mark.good : status === "failed" ? mark.bad : mark.warn,
  StyledLine.raw(`${verbs[status]} ${format.span(duration)}`, "strong"),
  StyledLine.raw(`  job ${jobId}`, "faint"),
  ...(reason === undefined ? [] : [StyledLine.raw(": "), StyledLine.piece(reason)])
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
  ["landed", landed === undefined ? undefined : `on ${target}, at ${format.short(landed)}`],
  ["result", branch],
  ["diff", diff]
]

/** The facts that are sentences. */
const sentences = ["units", "tasks"]

const nameWidth = 9

export const table = (facts: ReadonlyArray<Fact>, columns: number): ReadonlyArray<StyledLine.Line> =>
  facts.flatMap(([name, value]) => {
    if (value === undefined || value === "") return []
    const line = [StyledLine.raw(name.padEnd(nameWidth), "faint"), StyledLine.piece(value)]
    return sentences.includes(name) ? StyledLine.wrap(line, columns, nameWidth) : [line]
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

const place = (unit: string, task: number | undefined): StyledLine.Piece =>
  StyledLine.piece(task === undefined ? unit : `${unit} ${task}`, "name")

const noted = ({ note, task, unit }: Summary["notes"][number]): StyledLine.Line => [
  mark.warn,
  place(unit, task),
  StyledLine.raw("  "),
  StyledLine.piece(note)
]

const failed = (
  { attempts, log, reason, task, title, unit }: Failure,
  wrap: (line: StyledLine.Line) => ReadonlyArray<StyledLine.Line>
): ReadonlyArray<StyledLine.Line> => {
  const tries = attempts === undefined || attempts < 2 ? "" : `failed ${attempts} times: `
  return [
    ...wrap([mark.bad, place(unit, task), StyledLine.raw("  "), StyledLine.piece(title ?? reason, "strong")]),
    ...(title === undefined ? [] : wrap([StyledLine.raw(`  ${tries}`), StyledLine.piece(reason)])),
    ...(log === undefined ? [] : [[StyledLine.raw("  log  ", "faint"), StyledLine.piece(log)]])
  ]
}

export const next = ({ failures, next, status }: Summary): ReadonlyArray<StyledLine.Line> => {
  if (next === undefined) return []
  const when = status === "failed" && failures.length > 0 ? "when that is mended, go on with" : "go on with"
  return [[StyledLine.raw(`${when}  `, "faint"), StyledLine.piece(next, "strong")]]
}
