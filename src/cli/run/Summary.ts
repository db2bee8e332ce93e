/**
 * The result of a job, and what to do next.
 */
import { Array, DateTime, Number, Option, Record, Schema } from "effect"
import type { Cost } from "../../domain/Cost.js"
import { JobConfig } from "../../domain/JobConfig.js"
import type { Run, RunError } from "../../domain/Run.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import * as costs from "../../progress/cost.js"
import { isUnlanded } from "../../progress/isUnlanded.js"
import { type Asked, type ShownWork, shownWork } from "../../progress/shownState.js"
import * as why from "../../progress/reason.js"
import { continueCommand } from "../../progress/remedy.js"
import * as taskNotes from "../../progress/taskNotes.js"
import { resultBranch, unitBranch, UnitName } from "../../git/RefNames.js"
import { command } from "../../git/shellQuote.js"
import { workStartedAt } from "../list/workStartedAt.js"
import type { Unfinished } from "../show/unfinishedWork.js"

/** A unit that failed, and its failed task. */
export interface Failure {
  readonly unit: string
  readonly task: number | undefined
  readonly title: string | undefined
  readonly attempts: number | undefined
  readonly reason: string
  /** What the agent said last. */
  readonly said: string | undefined
  readonly log: string | undefined
}

/** A task that is done, and why the attempt before that failed. */
export interface Retried {
  readonly unit: string
  readonly task: number
  readonly reason: string
}

/** A unit with commits that are not in the result, and where they are. */
export interface Unmerged {
  readonly unit: string
  readonly commits: number
  readonly branch: string
  /** A command that shows their changes. */
  readonly diff: string | undefined
  /** A command that checks the branch out and merges the result there, if all of its tasks are done and it could not be merged. */
  readonly merge: string | undefined
}

export interface Summary {
  readonly jobId: string
  readonly status: RunStatus
  /** In milliseconds, from its start to its end; undefined if it was interrupted or has parked at an unknown time, or the clock was set back. */
  readonly duration: number | undefined
  /** The number in each state. */
  readonly units: Readonly<Record<string, number>>
  readonly tasks: Readonly<Record<string, number>>
  /** The number in the result. */
  readonly commits: number
  /** The result branch, and a command that shows its changes. */
  readonly branch: string | undefined
  readonly diff: string | undefined
  readonly unmerged: ReadonlyArray<Unmerged>
  /** Units with unfinished work, which a retry or a resumed job continues. */
  readonly unfinished: ReadonlyArray<Unfinished>
  /** The units that a retry has left as they are, and a command for each job that has their work. */
  readonly leftOut: ReadonlyArray<{ readonly units: ReadonlyArray<string>; readonly command: string }> | undefined
  readonly target: string | undefined
  /** The commit to which the target branch was advanced. */
  readonly landed: string | undefined
  /** If some units failed and what is done has landed: its units, and the others. */
  readonly landedUnits: ReadonlyArray<string> | undefined
  readonly left: ReadonlyArray<{ readonly unit: string; readonly reason: string }> | undefined
  /** Why the units that are done could not land. */
  readonly notLanded: string | undefined
  /** The pull request, or the page on which to open one. */
  readonly pullRequest: Outcome["pullRequest"]
  /** The command that lands what is done, if nothing of it has landed. */
  readonly land: string | undefined
  /** How many commits have no signature, although the user signs. */
  readonly unsigned: number | undefined
  /** The reason of a failure without a failed unit. */
  readonly reason: string | undefined
  readonly failures: ReadonlyArray<Failure>
  readonly retried: ReadonlyArray<Retried>
  readonly notes: ReadonlyArray<{ readonly unit: string; readonly task: number; readonly note: string }>
  /** What is known about the gates. */
  readonly gates: ReadonlyArray<taskNotes.Line>
  /** What its turns have cost. */
  readonly cost: Cost | undefined
  /** The command to continue with. */
  readonly next: string | undefined
}

export interface Ended {
  readonly run: Run
  readonly work: ShownWork
  readonly questions?: ReadonlyArray<Asked>
  readonly unfinished?: ReadonlyArray<Unfinished>
}

/** The fields of results and errors of the task orchestrator. */
const Outcome = Schema.Struct({
  _tag: Schema.optional(Schema.String),
  message: Schema.optional(Schema.String),
  reason: Schema.optional(Schema.String),
  branch: Schema.optional(Schema.String),
  diff: Schema.optional(Schema.String),
  target: Schema.optional(Schema.String),
  /** The commit, or the units if others failed. */
  landed: Schema.optional(Schema.Union(Schema.String, Schema.Array(Schema.String))),
  landedAt: Schema.optional(Schema.String),
  left: Schema.optional(Schema.Array(Schema.Struct({ unit: Schema.String, reason: Schema.String }))),
  notLanded: Schema.optional(
    Schema.Struct({ reason: Schema.String, command: Schema.String, log: Schema.optional(Schema.String) })
  ),
  pullRequest: Schema.optional(
    Schema.Struct({
      isOpen: Schema.Boolean,
      url: Schema.optional(Schema.String),
      problem: Schema.optional(Schema.String)
    })
  ),
  unsigned: Schema.optional(Schema.Int),
  commits: Schema.optional(Schema.Int),
  command: Schema.optional(Schema.String),
  leftOut: Schema.optional(Schema.Array(Schema.Struct({ unit: Schema.String, job: Schema.String }))),
  log: Schema.optional(Schema.String)
})

type Outcome = typeof Outcome.Type

const read = (json: unknown): Outcome =>
  typeof json === "string" ? { message: json } : Option.getOrElse(Schema.decodeUnknownOption(Outcome)(json), () => ({}))

export const of = (
  { questions, run, unfinished = [], work: recorded }: Ended,
  now: DateTime.DateTime,
  interruptedAt?: DateTime.DateTime
): Summary => {
  const work = shownWork(recorded, run.status, questions)
  const end = run.endedAt ?? (run.status === "interrupted" || run.status === "parked" ? interruptedAt : now)
  const elapsed = end && DateTime.distance(workStartedAt(run), end)
  const outcome = read(run.error?.error ?? run.result)
  const config = Option.getOrUndefined(Schema.decodeUnknownOption(JobConfig)(run.config))
  const failures = failuresOf(work)
  const noted = taskNotes.ofRecords(work.tasks)
  const reason = run.error === undefined || failures.length > 0 ? undefined : reasonOf(run.error, outcome)
  return {
    jobId: run.id,
    status: run.status,
    duration: elapsed !== undefined && elapsed >= 0 ? elapsed : undefined,
    units: countBy(work.units),
    tasks: countBy(work.tasks),
    commits: outcome.commits ?? mergedCommits(work),
    ...resultOf(run, work, outcome, config),
    unmerged: unmergedOf(run, work, config),
    unfinished,
    leftOut: outcome.leftOut && leftOutOf(outcome.leftOut),
    target: outcome.target ?? config?.targetBranch,
    ...landedOf(outcome),
    pullRequest: outcome.pullRequest,
    land: isUnlanded({ ...run, ...work }) ? command("charlotte", "land", run.id) : undefined,
    unsigned: outcome.unsigned,
    reason,
    failures,
    retried: work.tasks.flatMap((task) => {
      const reason = task.state === "completed" ? why.ofTask(task) : undefined
      return reason === undefined ? [] : [{ unit: task.unit, task: task.task, reason }]
    }),
    notes: noted.flatMap(({ notes, number, unit }) =>
      notes.flatMap(({ tag, text }) => (tag === undefined ? [{ unit, task: number, note: text }] : []))
    ),
    gates: taskNotes.ofJob(noted),
    cost: costs.sum(work.tasks.map(({ cost }) => cost)),
    next: continueCommand(run)
  }
}

const landedOf = ({ landed, landedAt, left, notLanded }: Outcome) => ({
  landed: typeof landed === "string" ? landed : landedAt,
  landedUnits: typeof landed === "string" ? undefined : landed,
  left: left?.map(({ reason, unit }) => ({ unit, reason: why.text(reason) })),
  notLanded: notLanded && `${why.text(notLanded.reason)}${notLanded.log === undefined ? "" : `; see ${notLanded.log}`}`
})

/** The branch with its work, once units have started. */
const resultOf = ({ id }: Run, { units }: ShownWork, outcome: Outcome, config: JobConfig | undefined) => {
  const isThere = config?.dryRun !== true && (units.length > 0 || outcome.branch !== undefined)
  if (!isThere) return { branch: undefined, diff: undefined }
  const branch = outcome.branch ?? resultBranch(id)
  const diff = config && command("git", "-C", config.repoPath, "diff", `${config.targetBranch}...${branch}`)
  return { branch, diff: outcome.diff ?? diff }
}

const completedIn = ({ tasks }: ShownWork, unit: string): number =>
  tasks.filter((task) => task.unit === unit && task.state === "completed" && !isResolution(task)).length

/** The turn of an agent at a conflict, which is no task of the plan. */
const isResolution = ({ resolves }: ShownWork["tasks"][number]): boolean => resolves !== undefined

const mergedCommits = (work: ShownWork): number =>
  Number.sumAll(work.units.filter(({ state }) => state === "merged").map(({ unit }) => completedIn(work, unit)))

const unmergedOf = ({ id, status }: Run, work: ShownWork, config: JobConfig | undefined): ReadonlyArray<Unmerged> =>
  work.units.flatMap(({ base, state, unit }) => {
    const commits = completedIn(work, unit)
    const name = Schema.decodeOption(UnitName)(unit)
    const tasks = work.tasks.filter((task) => task.unit === unit && !isResolution(task))
    const isDone = tasks.every(({ state }) => state === "completed" || state === "skipped")
    // A retry has no task of a unit whose tasks the job before has completed.
    const couldNotMerge = state === "failed" && isDone && (commits > 0 || base !== undefined)
    if (state === "merged" || (commits === 0 && !couldNotMerge) || Option.isNone(name)) return []
    const branch = unitBranch(id, name.value)
    const git = (...words: ReadonlyArray<string>) => config && command("git", "-C", config.repoPath, ...words)
    const since = (commits === 0 ? undefined : base) ?? config?.targetBranch
    const steps = [git("switch", branch), git("merge", resultBranch(id))]
    const isRetriable = status === "failed" || status === "cancelled"
    const merge = couldNotMerge && isRetriable && config ? steps.join(" && ") : undefined
    return [{ unit, commits, branch, diff: git("diff", `${since}...${branch}`), merge }]
  })

const leftOutOf = (leftOut: NonNullable<Outcome["leftOut"]>): Summary["leftOut"] =>
  Object.entries(Array.groupBy(leftOut, ({ job }) => job)).map(([job, of]) => {
    const units = of.map(({ unit }) => unit)
    return { units, command: command("charlotte", "retry", job, ...units.flatMap((unit) => ["--unit", unit])) }
  })

/** The messages of these errors repeat what the summary shows elsewhere. */
const reasonOf = ({ cause }: RunError, { _tag, log, message, reason, target }: Outcome): string => {
  if (_tag === "ResultRejected") return `rejected: ${why.text(reason ?? "")}`
  if (_tag !== "LandingBlocked") return why.text(message ?? cause)
  return `${target} could not be advanced: ${why.text(reason ?? "")}${log === undefined ? "" : `; see ${log}`}`
}

const failuresOf = ({ tasks, units }: ShownWork): ReadonlyArray<Failure> =>
  units
    .filter(({ state }) => state === "failed")
    .map(({ reason = "unknown reason", unit }) => {
      const failed = tasks.find((task) => task.unit === unit && task.state === "failed")
      return {
        unit,
        task: failed?.task,
        title: failed?.title,
        attempts: failed?.failures,
        reason: failed === undefined ? why.text(reason) : (why.ofTask(failed) ?? why.ofUnit(reason)),
        said: failed?.said,
        log: failed?.log
      }
    })

const countBy = (records: ReadonlyArray<{ readonly state: string }>): Readonly<Record<string, number>> =>
  Record.map(
    Array.groupBy(records, ({ state }) => state),
    ({ length }) => length
  )
