/**
 * A job with its units and tasks, for a terminal. Sentences wrap; paths and commands do not, so that they can be copied.
 */
import { DateTime } from "effect"
import { approvalSignal, resumeSignal } from "../../domain/Run.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import type { Cost } from "../../domain/Cost.js"
import * as costs from "../../progress/cost.js"
import * as why from "../../progress/reason.js"
import { progressText } from "../../progress/progressText.js"
import * as taskNotes from "../../progress/taskNotes.js"
import * as mergeWait from "../../internal/mergeWait.js"
import { isDue, parkReason } from "../../progress/waiting.js"
import type { ShownTaskState, ShownUnitState } from "../../progress/shownState.js"
import type { Job, JobTask, JobUnit } from "../../http/contract/Api.js"
import { configOf } from "../configOf.js"
import * as JobTable from "../list/JobTable.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as Summary from "../run/Summary.js"
import * as SummaryText from "../run/SummaryText.js"
import * as format from "../terminal/format.js"
import * as waitingText from "../list/waitingText.js"

export interface View {
  readonly now: DateTime.Utc
  readonly zone: DateTime.TimeZone
  readonly columns: number
}

export const lines = (
  job: Job,
  unfinished: NonNullable<Summary.Ended["unfinished"]>,
  view: View
): ReadonlyArray<StyledLine.Line> => {
  const summary = Summary.of({ run: job, work: job, unfinished }, view.now)
  return [
    ...StyledLine.wrap(headline(job, summary), view.columns - 1, 2),
    ...SummaryText.part(SummaryText.gates(summary).flatMap((line) => StyledLine.wrap(line, view.columns - 4, 2))),
    ...SummaryText.part(SummaryText.table([...facts(job, view), ...SummaryText.facts(summary)], view.columns - 4)),
    ...SummaryText.unmerged(summary, view.columns),
    ...SummaryText.unfinished(summary),
    ...SummaryText.part(job.units.flatMap((unit) => unitLines(unit, job, view))),
    ...SummaryText.part(stepLines(job, view)),
    ...SummaryText.part(childLines(job, view)),
    ...SummaryText.part(commands(job, summary))
  ]
}

const headline = (job: Job, summary: Summary.Summary): StyledLine.Line => {
  const span = summary.duration === undefined ? "" : ` for ${format.span(summary.duration)}`
  switch (job.status) {
    case "running":
    case "pending":
    case "parked":
      return [
        job.status === "running" ? StyledLine.raw("▸ ", "name") : StyledLine.raw("· ", "faint"),
        JobTable.status(job),
        StyledLine.raw(span, "strong"),
        StyledLine.raw(`  job ${job.id}`, "faint")
      ]
    default:
      return SummaryText.headline(summary)
  }
}

const facts = (job: Job, { now, zone }: View): ReadonlyArray<SummaryText.Fact> => {
  const { agent, landOf, repoPath, retryOf = job.retryOf, targetBranch, tasksDir } = configOf(job)
  return [
    ...(job.kind === JobTable.tasksKind ? [] : ofKind(job)),
    ["repo", repoPath],
    ["plan", tasksDir],
    ["target", targetBranch],
    ["agent", agent],
    ["labels", JobTable.labels(job).text],
    ["retry of", retryOf],
    ["lands", landOf],
    ["landed", job.landedAs && `by job ${job.landedAs}`],
    ["child of", job.parent && `job ${job.parent}`],
    ["retried", job.retriedAs && `as ${job.retriedAs}`],
    ...waiting(job, { now, zone }),
    ["progress", job.progress && progressText(job.progress)],
    ["created", `${format.dateTime(job.createdAt, zone)}, ${format.age(DateTime.distance(job.createdAt, now))} ago`],
    ["attempt", job.attempt === 1 ? undefined : String(job.attempt)],
    ["in all", job.retriesCost && `${costs.short(job.retriesCost)} with the jobs that it retries or that retry it`],
    ["retries", job.tries === undefined ? undefined : String(job.tries)],
    ["kept", job.pinned === true ? "pinned, regardless of retention" : undefined]
  ]
}

const waiting = (job: Job, view: waitingText.View): ReadonlyArray<SummaryText.Fact> => {
  const { group, keys = [], parked, priority, status } = job
  const isWaiting = status === "pending" || status === "parked"
  const refusal = waitingText.refusal(job, view)
  return [
    ["waits", isWaiting ? waitingText.condition(job, view) : undefined],
    ["reason", parked && parkReason(parked)],
    ["refused", refusal && `it ${refusal.text}`],
    ...(refusal?.reasons ?? []).map((reason): SummaryText.Fact => ["because", reason]),
    ["group", group],
    ["priority", priority === 0 || !isWaiting ? undefined : String(priority)],
    ...keys
      .filter(({ holder, origin }) => holder !== job.id || origin === "start")
      .map((key): SummaryText.Fact => ["key", waitingText.keyText(job, key)])
  ]
}

/** The config and result of jobs of other kinds, as JSON. */
const ofKind = ({ config, kind, result }: Job): ReadonlyArray<SummaryText.Fact> => [
  ["kind", kind],
  ["config", JSON.stringify(config)],
  ["result", result === undefined ? undefined : JSON.stringify(result)]
]

/** The next steps, with their commands. */
const commands = (job: Job, summary: Summary.Summary): ReadonlyArray<StyledLine.Line> => {
  const { id, parked, status, waitsFor } = job
  const watchAndStop: ReadonlyArray<Command> = [
    ["watch it with", `charlotte watch ${id}`],
    ["stop it with", `charlotte stop ${id}`]
  ]
  const answers = answersTo(job)
  if (status === "running" || status === "pending") return commandLines([...answers, ...watchAndStop])
  if (status !== "parked") return SummaryText.next(summary)
  if (isDue(waitsFor) || parked?.children !== undefined) return commandLines(watchAndStop)
  if (parked?.signal === approvalSignal) {
    return commandLines([
      ["look at it with", `charlotte diff ${id}`],
      ["approve it with", `charlotte approve ${id}`],
      ["reject it with", `charlotte reject ${id} --because TEXT`],
      ...watchAndStop.slice(1)
    ])
  }
  const signal: ReadonlyArray<Command> =
    parked?.signal === undefined || parked.signal === resumeSignal
      ? []
      : [["send it with", `charlotte signal ${id} ${parked.signal}`]]
  const resume = parked?.limits === undefined ? `charlotte resume ${id}` : costs.resumeCommand(id, parked.limits)
  return commandLines([...answers, ...signal, ["resume it with", resume], ...watchAndStop.slice(1)])
}

/** A command for each unit that waits for an answer. */
const answersTo = ({ id, units }: Job): ReadonlyArray<Command> =>
  units
    .filter(({ state }) => state === "needs-answer")
    .map(({ unit }) => [`answer ${unit} with`, `charlotte answer ${id} ${unit} "…"`])

type Command = readonly [purpose: string, command: string]

const commandLines = (commands: ReadonlyArray<Command>): ReadonlyArray<StyledLine.Line> => {
  const longest = Math.max(...commands.map(([purpose]) => purpose.length))
  return commands.map(([purpose, command]) => [
    StyledLine.raw(purpose.padEnd(longest + 2), "faint"),
    StyledLine.piece(command, "strong")
  ])
}

const marks: { readonly [S in ShownUnitState | ShownTaskState]: StyledLine.Piece } = {
  pending: StyledLine.raw("· ", "faint"),
  running: StyledLine.raw("▸ ", "name"),
  "needs-answer": StyledLine.raw("? ", "warn"),
  waiting: StyledLine.raw("· ", "warn"),
  interrupted: StyledLine.raw("! ", "warn"),
  completed: StyledLine.raw("✓ ", "good"),
  merged: StyledLine.raw("✓ ", "good"),
  skipped: StyledLine.raw("✓ ", "faint"),
  failed: StyledLine.raw("✗ ", "bad"),
  blocked: StyledLine.raw("– ", "warn")
}

const unitLines = (unit: JobUnit, job: Job, view: View): ReadonlyArray<StyledLine.Line> => {
  const own = job.tasks.filter((task) => task.unit === unit.unit)
  const cost = costs.sum(own.map(({ cost }) => cost))
  const failed = own.some(({ state }) => state === "failed")
  const left = [
    marks[unit.state],
    StyledLine.piece(unit.unit, unit.state === "skipped" ? "faint" : "name"),
    ...after(unit)
  ]
  return [
    row(
      left,
      [joined(unit.state === "skipped" ? "already complete" : unit.state, cost), took(unit, view), short(unit, view)],
      view
    ),
    // The reason of a failed task is shown with the task.
    ...(unit.reason === undefined || failed ? [] : sentence(why.text(unit.reason), "  ", view)),
    ...questionOf(unit, job).flatMap((text) => sentence(text, "  ", view, StyledLine.raw("? ", "warn"))),
    ...waitsForMerge(unit, own, job).flatMap((text) => sentence(text, "  ", view)),
    ...own.flatMap((task) => taskLines(task, view).map((line) => [StyledLine.raw("  "), ...line]))
  ]
}

/** The newest steps, as tasks are shown. */
const stepLines = ({ steps = [] }: Job, view: View): ReadonlyArray<StyledLine.Line> => {
  const earlier = (steps[0]?.seq ?? 1) - 1
  return [
    ...(earlier === 0 ? [] : [[StyledLine.raw(`· ${format.count(earlier, "earlier step")}`, "faint")]]),
    ...steps.map(({ attempt, millis, name, ok }) =>
      row(
        [marks[ok ? "completed" : "failed"], StyledLine.piece(name)],
        [attempt === 1 ? "" : `attempt ${attempt}`, format.span(millis), ""],
        view
      )
    )
  ]
}

/** The newest children, each with its job. */
const childLines = ({ children = [] }: Job, view: View): ReadonlyArray<StyledLine.Line> =>
  children.map(({ jobId, kind, name, status }) =>
    row(
      [status === undefined ? StyledLine.raw("· ", "faint") : childMarks[status], StyledLine.piece(name)],
      [kind, status ?? "pruned", jobId],
      view
    )
  )

const childMarks: { readonly [S in RunStatus]: StyledLine.Piece } = {
  pending: marks.pending,
  running: marks.running,
  interrupted: marks.interrupted,
  parked: marks.waiting,
  completed: marks.completed,
  failed: marks.failed,
  cancelled: marks.blocked
}

/** What its agent asks. */
const questionOf = ({ state, unit }: JobUnit, { questions = [] }: Job): ReadonlyArray<string> =>
  state !== "needs-answer"
    ? []
    : questions
        .filter((asked) => asked.unit === unit && asked.answer === undefined)
        .map(({ question }) => why.text(question))

/** A unit that is done waits until all units before it are settled. */
const waitsForMerge = (unit: JobUnit, own: ReadonlyArray<JobTask>, { units }: Job): ReadonlyArray<string> => {
  const isDone = own.every(({ state }) => state === "completed" || state === "skipped")
  if (unit.state !== "running" || unit.reason !== undefined || !isDone) return []
  const open = units.filter(
    ({ position, state }) => position < unit.position && !["merged", "skipped", "failed", "blocked"].includes(state)
  )
  return open.length === 0 ? [] : [mergeWait.text(open.map(({ unit }) => unit))]
}

const after = ({ dependsOn, state }: JobUnit): StyledLine.Line =>
  dependsOn.length === 0 || (state !== "pending" && state !== "blocked")
    ? []
    : [StyledLine.raw("  after ", "faint"), StyledLine.piece(dependsOn.join(", "), "faint")]

const taskLines = (task: JobTask, view: View): ReadonlyArray<StyledLine.Line> => {
  const { cost, failures, log, notes, said, state, title } = task
  const reason = why.ofTask(task)
  const style = state === "skipped" ? "faint" : "plain"
  const left = [
    marks[state],
    StyledLine.raw(`${task.task} `, state === "skipped" ? "faint" : "strong"),
    StyledLine.piece(title, style)
  ]
  const tries = failures + (state === "failed" ? 0 : 1)
  const noted = taskNotes
    .inOrder(notes.map(taskNotes.read))
    .map((note) => ({ tag: note.tag, lines: sentence(note.text, "    ", view, noteMark(note)) }))
  const ofGate = noted.filter(({ tag }) => tag !== undefined)
  const attempts = failures === 0 ? "" : state === "failed" ? `failed ${failures}×` : `attempt ${tries}`
  return [
    row(left, [joined(attempts, cost), took(task, view), short(task, view)], { ...view, columns: view.columns - 2 }),
    ...ofGate.flatMap(({ lines }) => lines),
    ...(reason === undefined ? [] : sentence(reason, "    ", view)),
    // What a failed attempt has left matters until the task is done.
    ...(said === undefined || state === "completed"
      ? []
      : sentence(why.saidLine(said), "    ", view, SummaryText.saidMark)),
    ...(log === undefined || state === "completed"
      ? []
      : [[StyledLine.raw("    log  ", "faint"), StyledLine.piece(log)]]),
    ...noted.slice(ofGate.length).flatMap(({ lines }) => lines)
  ]
}

/** A state with what it has cost. */
const joined = (state: string, cost: Cost | undefined): string =>
  [state, ...(cost === undefined ? [] : [costs.short(cost)])].filter((text) => text !== "").join(", ")

const noteMark = (note: taskNotes.Note): StyledLine.Piece =>
  taskNotes.isWarning(note) ? StyledLine.raw("! ", "warn") : StyledLine.raw("· ", "faint")

const sentence = (
  text: string,
  indent: string,
  { columns }: View,
  mark = StyledLine.raw("")
): ReadonlyArray<StyledLine.Line> =>
  StyledLine.wrap([mark, StyledLine.piece(text)], columns - indent.length - 5, 0).map((line) => [
    StyledLine.raw(indent),
    ...line
  ])

/** Columns below which commits are left out. */
const wide = 72

const short = ({ commit }: { readonly commit?: string | undefined }, { columns }: View): string =>
  commit === undefined || columns < wide ? "" : format.short(commit)

/** How long it took, or has been running; empty for an interrupted one, whose end is not recorded. */
const took = (
  { endedAt, startedAt, state }: Pick<JobUnit, "startedAt" | "endedAt"> & { readonly state: string },
  { now }: View
): string => {
  const end = endedAt ?? (state === "running" ? now : undefined)
  return startedAt === undefined || end === undefined ? "" : format.clock(DateTime.distance(startedAt, end))
}

/** Wider rows are hard to follow. */
const widest = 100

/** Right-aligned columns on a terminal, plain text elsewhere. */
const row = (
  left: StyledLine.Line,
  right: readonly [state: string, took: string, commit: string],
  { columns }: View
): StyledLine.Line => {
  const [state, took, commit] = right
  if (columns === Infinity)
    return [...left, ...right.flatMap((text) => (text === "" ? [] : [StyledLine.raw(`  ${text}`)]))]
  const commits = columns < wide - 2 ? "" : `  ${commit.padEnd(8)}`
  const aligned = [StyledLine.raw(state, "faint"), StyledLine.raw(took.padStart(9)), StyledLine.raw(commits, "faint")]
  return StyledLine.spread(left, aligned, Math.min(columns, widest) - 3)
}
