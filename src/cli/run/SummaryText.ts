/**
 * A summary for a terminal. Sentences wrap; branches, paths and commands do not, so that they can be copied.
 */
import type { RunStatus } from "../../domain/RunStatus.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as format from "../terminal/format.js"
import * as costs from "../../progress/cost.js"
import * as why from "../../progress/reason.js"
import type { Failure, Retried, Summary, Unmerged } from "./Summary.js"

export const lines = (summary: Summary, columns: number): ReadonlyArray<StyledLine.Line> => {
  const wrap = (line: StyledLine.Line) => StyledLine.wrap(line, columns - 4, 2)
  return [
    ...wrap(headline(summary)),
    ...part(gates(summary).flatMap(wrap)),
    ...part(table(facts(summary), columns - 4)),
    ...unmerged(summary, columns),
    ...unfinished(summary),
    ...summary.failures.flatMap((failure) => part(failed(failure, wrap))),
    ...part([...summary.retried.map(retried), ...summary.notes.map(noted)].flatMap(wrap)),
    ...part(next(summary))
  ]
}

/** Shown first, since what "done" means depends on what the gates prove. */
export const gates = ({ gates }: Pick<Summary, "gates">): ReadonlyArray<StyledLine.Line> =>
  gates.map(({ task, text, unit }) => [
    mark.warn,
    ...(unit === undefined ? [] : [place(unit, task), StyledLine.raw("  ")]),
    StyledLine.piece(text)
  ])

/** A block after a blank line; nothing if it is empty. */
export const part = (lines: ReadonlyArray<StyledLine.Line>): ReadonlyArray<StyledLine.Line> =>
  lines.length === 0 ? [] : [StyledLine.empty, ...lines.map((line) => [StyledLine.raw("  "), ...line])]

const mark = {
  good: StyledLine.raw("✓ ", "good"),
  bad: StyledLine.raw("✗ ", "bad"),
  warn: StyledLine.raw("! ", "warn")
}

export const headline = ({ duration, jobId, reason, status }: Summary): StyledLine.Line => [
  status === "completed" ? mark.good : status === "failed" ? mark.bad : mark.warn,
  StyledLine.raw(duration === undefined ? status : `${verbs[status]} ${format.span(duration)}`, "strong"),
  StyledLine.raw(`  job ${jobId}`, "faint"),
  ...(reason === undefined ? [] : [StyledLine.raw(": "), StyledLine.piece(reason)])
]

const verbs: { readonly [S in RunStatus]: string } = {
  completed: "completed in",
  failed: "failed after",
  cancelled: "cancelled after",
  interrupted: "interrupted after",
  parked: "parked after",
  pending: "pending for",
  running: "running for"
}

/** Before what the agent said last. */
export const saidMark = StyledLine.raw("the agent said  ", "faint")

/** A name and its value, if there is one. */
export type Fact = readonly [name: string, value: string | undefined]

export const facts = (summary: Summary): ReadonlyArray<Fact> => {
  const { branch, commits, diff, leftOut = [], tasks, units, unsigned } = summary
  // All work is on the branches of units, each of which is shown with its own diff.
  const isElsewhere = commits === 0 && unmergedOf(summary).length > 0
  return [
    ["units", counts(units)],
    ["tasks", counts(tasks)],
    [
      "commits",
      branch === undefined ? undefined : `${commits}${unsigned === undefined ? "" : `, ${unsigned} not signed`}`
    ],
    ["cost", summary.cost && costs.explained(summary.cost)],
    ["landed", landed(summary)],
    ["proposed", proposed(summary)],
    ["left", summary.left?.map(({ unit }) => unit).join(", ")],
    ["result", isElsewhere ? undefined : branch],
    ["diff", isElsewhere ? undefined : diff],
    ["land", summary.land],
    ...leftOut.map(({ command, units }): Fact => ["left out", `${units.join(", ")}; continue them with: ${command}`])
  ]
}

const landed = ({ landed, landedUnits = [], notLanded, target }: Summary): string | undefined => {
  if (notLanded !== undefined) return `nothing: ${target} could not be advanced: ${notLanded}`
  if (landed === undefined) return undefined
  const units = landedUnits.length === 0 ? "" : `${landedUnits.join(", ")} `
  return `${units}on ${target}, at ${format.short(landed)}`
}

const proposed = ({ branch, pullRequest, target }: Summary): string | undefined => {
  if (pullRequest === undefined) return undefined
  const { isOpen, problem, url } = pullRequest
  if (isOpen) return url
  const where = url === undefined ? `for ${target} from ${branch}` : `at ${url}`
  return `open a pull request ${where}${problem === undefined ? "" : `; ${why.text(problem)}`}`
}

/** The units with commits that are not in the result; none while the job may still merge them. */
const unmergedOf = ({ status, unmerged }: Summary): ReadonlyArray<Unmerged> =>
  status === "running" || status === "pending" ? [] : unmerged

export const unmerged = (summary: Summary, columns: number): ReadonlyArray<StyledLine.Line> =>
  unmergedOf(summary).flatMap((unit) => part(branchOf(unit, summary, columns - 4)))

const branchOf = (
  { branch, commits, diff, merge, unit }: Unmerged,
  { next, target }: Summary,
  columns: number
): ReadonlyArray<StyledLine.Line> => {
  const what = commits === 0 ? "its work is" : `${format.count(commits, "commit")} ${commits === 1 ? "is" : "are"}`
  const advice = `${next} merges this branch again, with what you commit there or on ${target}, and runs no task again`
  return [
    [mark.warn, place(unit, undefined), StyledLine.raw(`  ${what} not in the result`)],
    [StyledLine.raw("  branch  ", "faint"), StyledLine.piece(branch)],
    ...(diff === undefined ? [] : [[StyledLine.raw("  diff    ", "faint"), StyledLine.piece(diff)]]),
    ...(merge === undefined
      ? []
      : [
          [StyledLine.raw("  merge   ", "faint"), StyledLine.piece(merge)],
          ...StyledLine.wrap([StyledLine.raw("  "), StyledLine.piece(advice)], columns, 2)
        ])
  ]
}

export const unfinished = ({ unfinished }: Summary): ReadonlyArray<StyledLine.Line> =>
  unfinished.flatMap(({ command, files, task, unit }) => {
    const size = files === undefined ? "" : `: ${format.count(files, "file")}`
    return part([
      [mark.warn, place(unit, undefined), StyledLine.raw(`  unfinished work of task ${task}${size}`)],
      ...(command === undefined ? [] : [[StyledLine.raw("  diff    ", "faint"), StyledLine.piece(command)]])
    ])
  })

/** Facts that may wrap. */
const sentences = ["units", "tasks", "cost", "landed", "left"]

const nameWidth = 9

export const table = (facts: ReadonlyArray<Fact>, columns: number): ReadonlyArray<StyledLine.Line> =>
  facts.flatMap(([name, value]) => {
    if (value === undefined || value === "") return []
    const line = [StyledLine.raw(name.padEnd(nameWidth), "faint"), StyledLine.piece(value)]
    return sentences.includes(name) ? StyledLine.wrap(line, columns, nameWidth) : [line]
  })

/** Labels of states, in the order in which they are shown. */
const states: Readonly<Record<string, string>> = {
  merged: "merged",
  completed: "done",
  failed: "failed",
  blocked: "blocked",
  running: "running",
  waiting: "waiting",
  interrupted: "interrupted",
  pending: "pending",
  skipped: "already complete"
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

const retried = ({ reason, task, unit }: Retried): StyledLine.Line =>
  noted({ unit, task, note: `done after a retry; ${reason}` })

const failed = (
  { attempts, log, reason, said, task, title, unit }: Failure,
  wrap: (line: StyledLine.Line) => ReadonlyArray<StyledLine.Line>
): ReadonlyArray<StyledLine.Line> => {
  const prefix = attempts === undefined || attempts < 2 ? "" : `failed ${attempts} times: `
  return [
    ...wrap([mark.bad, place(unit, task), StyledLine.raw("  "), StyledLine.piece(title ?? reason, "strong")]),
    ...(title === undefined ? [] : wrap([StyledLine.raw(`  ${prefix}`), StyledLine.piece(reason)])),
    ...(said === undefined ? [] : wrap([StyledLine.raw("  "), saidMark, StyledLine.piece(why.saidLine(said))])),
    ...(log === undefined ? [] : [[StyledLine.raw("  log  ", "faint"), StyledLine.piece(log)]])
  ]
}

export const next = ({ failures, next, status }: Summary): ReadonlyArray<StyledLine.Line> => {
  if (next === undefined) return []
  const when = status === "failed" && failures.length > 0 ? "fix that, then continue with" : "continue with"
  return [[StyledLine.raw(`${when}  `, "faint"), StyledLine.piece(next, "strong")]]
}
