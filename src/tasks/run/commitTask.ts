/**
 * Commits the work of a task, and notes anything about it that the user may not expect.
 */
import { Effect, Option, Schema } from "effect"
import { basename, dirname } from "node:path"
import { Git } from "../../git/Git.js"
import { type ObjectId, RepoPath } from "../../git/RefNames.js"
import type { Worktree } from "../../git/Worktrees.js"
import * as plainText from "../../internal/plainText.js"
import type { Plan, Task, Unit } from "../plan/Plan.js"
import * as TaskFile from "../plan/TaskFile.js"
import * as UnitFile from "../plan/UnitFile.js"
import * as Note from "./Note.js"
import { ofRepository, retryWhileUnwritable } from "./retryWhileUnwritable.js"
import type { RunContext } from "./RunContext.js"
import type { UnitWorktree } from "./UnitWorktree.js"

/** The worktree of the unit, and the commit at which the next task starts. */
export interface TaskPosition {
  readonly worktree: UnitWorktree
  readonly tip: ObjectId
}

export interface File {
  readonly path: RepoPath
  /** Its text in the worktree; none if the file no longer exists. */
  readonly text: Option.Option<string>
  /** Its text in the plan. */
  readonly planned: Option.Option<string>
}

/** The task file at a commit of the unit. */
export const readFile = ({ repository, snapshot }: RunContext, unit: Unit, task: Task, commit: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    const path = yield* Schema.decode(RepoPath)(task.file)
    const textAt = (commit: ObjectId) =>
      Effect.map(
        git.readFile(repository, commit, path),
        Option.map((content) => Buffer.from(content).toString("utf8"))
      )
    const text = yield* textAt(commit)
    // An adopted worktree has the file as it was planned for the retried job.
    const planned = snapshot.taken.worktrees[unit.id] === undefined ? text : yield* textAt(snapshot.base)
    const file: File = { path, text, planned }
    return file
  })

/** Commits the work of the task, with its file marked as complete and changes to other plan files reverted. */
export const commit = (
  ctx: RunContext,
  unit: Unit,
  task: Task,
  { tip, worktree }: TaskPosition,
  { path, planned, text }: File
) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { job, keep, progress, repository, snapshot } = ctx
    const note = (text: string) => Note.add(ctx, { unit: unit.id, task: task.number }, text)
    const marked = Option.flatMap(planned, (text) => TaskFile.withStatus(text, "complete"))
    let wasUnwritable = false
    const onProblem = (problem: string) => {
      wasUnwritable = true
      return note(`${problem}: the work is committed once it can be written`)
    }
    const committing = git.commit(repository, worktree, {
      title: task.title,
      body: `Task ${task.number} of unit ${unit.id}.`,
      jobId: job.id,
      unit: unit.id,
      task: task.number,
      since: tip,
      keep,
      put: Option.match(marked, {
        onNone: () => [],
        onSome: (content) => [{ path, content, was: Option.getOrElse(text, () => content) }]
      }),
      before: (commit) => Effect.orDie(progress.changeTask(unit.id, task.number, { commit }))
    })
    const {
      changed,
      commit,
      isEmpty = false,
      replaced
    } = yield* retryWhileUnwritable(ofRepository(git, repository), onProblem)(committing)
    if (isEmpty)
      yield* note("the gate passed although no file was changed: it may pass even before the task is started")
    // Do not blame the agent for plan files that a full disk has truncated.
    if (replaced.length > 0 && !wasUnwritable)
      yield* note(`the agent changed ${listFiles(replaced)}: plan files were restored`)
    const added = changed.filter((file) => isPlanFile(snapshot.plan, file) && !keep.some((kept) => kept === file))
    if (added.length > 0) {
      const dir = snapshot.plan.dir
      yield* note(
        `task files were added, which land with the work and are run by the next job of ${dir}: ${listFiles(added)}`
      )
    }
    return commit
  })

/** Whether the next job would read the file as a task or a unit. */
const isPlanFile = ({ dir }: Plan, file: string): boolean => {
  const parent = dirname(file)
  const name = basename(file)
  return (parent === dir || dirname(parent) === dir) && (TaskFile.isName(name) || name === UnitFile.fileName)
}

/** The ignored files and directories of a worktree; none if they cannot be listed. */
export const ignoredFiles = ({ repository }: RunContext, worktree: Worktree) =>
  Effect.orElseSucceed(
    Effect.flatMap(Git, (git) => git.ignoredFiles(repository, worktree)),
    (): ReadonlyArray<string> => []
  )

/** Notes ignored files that were not there before the task: they do not land, and the gate may need them. */
export const noteIgnored = (ctx: RunContext, unit: Unit, task: Task, made: ReadonlyArray<string>) => {
  const text =
    `the gate passed beside files that git ignores and that do not land: ${listFiles(made)}; ` +
    "if it needs them, it fails elsewhere unless setup or copy provides them"
  return made.length === 0 ? Effect.void : Note.add(ctx, { unit: unit.id, task: task.number }, text)
}

const listFiles = (files: ReadonlyArray<string>): string =>
  files.length <= 3
    ? files.map(plainText.line).join(", ")
    : `${files.slice(0, 3).map(plainText.line).join(", ")} and ${files.length - 3} more`
