/**
 * Commits the work of a task, and notes anything about it that the user may not expect.
 */
import { Array, Effect, Option, Schema } from "effect"
import { lstat } from "node:fs/promises"
import { basename, dirname } from "node:path"
import { Git } from "../../git/Git.js"
import type { Committed } from "../../git/Commits.js"
import { type ObjectId, RepoPath } from "../../git/RefNames.js"
import type { Worktree } from "../../git/Worktrees.js"
import * as plainText from "../../internal/plainText.js"
import type { Plan, Task, Unit } from "../plan/Plan.js"
import * as TaskFile from "../plan/TaskFile.js"
import * as UnitFile from "../plan/UnitFile.js"
import * as checkChanges from "./checkChanges.js"
import * as Note from "./Note.js"
import { ofRepository, retryWhileUnwritable } from "./retryWhileUnwritable.js"
import type { RunContext } from "./RunContext.js"
import type { UnitWorktree } from "./UnitWorktree.js"

/** The worktree of the unit, and the commit at which the next task starts. */
export interface TaskPosition {
  readonly worktree: UnitWorktree
  readonly tip: ObjectId
  /** The ignored files that are there, if the worktree has been looked at since it was created. */
  readonly ignored?: ReadonlyArray<string>
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
    // Work taken over may have the file as it was planned for the retried job.
    const planned = snapshot.taken.begun[unit.id] === undefined ? text : yield* textAt(snapshot.base)
    const file: File = { path, text, planned }
    return file
  })

/**
 * Commits the work of the task, with its file marked as complete and changes to other plan files reverted. Returns the position of
 * the next task.
 */
export const commit = (
  ctx: RunContext,
  unit: Unit,
  task: Task,
  { ignored: before = [], tip, worktree }: TaskPosition,
  {
    gateLog,
    path,
    planned,
    protectedFiles,
    text
  }: File & { readonly gateLog: string; readonly protectedFiles: ReadonlyArray<RepoPath> }
) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { job, keep, progress, repository } = ctx
    const about = { unit: unit.id, task: task.number }
    const marked = Option.flatMap(planned, (text) => TaskFile.withStatus(text, "complete"))
    let wasUnwritable = false
    const onProblem = (problem: string) => {
      wasUnwritable = true
      return Note.add(ctx, about, `${problem}: the work is committed once it can be written`)
    }
    const committing = git.commit(repository, worktree, {
      title: task.title,
      body: `Task ${task.number} of unit ${unit.id}.`,
      jobId: job.id,
      unit: unit.id,
      task: task.number,
      since: tip,
      // What the gate itself changed is no work either.
      keep: [...keep, ...protectedFiles],
      put: Option.match(marked, {
        onNone: () => [],
        onSome: (content) => [{ path, content, was: Option.getOrElse(text, () => content) }]
      }),
      before: (committed) =>
        checkChanges.note(ctx, unit, task, { changed: committed.changed, from: tip, to: committed.commit }).pipe(
          Effect.zipRight(
            noteUnexpected(ctx, about, committed, {
              known: before,
              gateLog,
              file: path,
              worktree,
              wasUnwritable
            })
          ),
          Effect.zipRight(progress.changeTask(unit.id, task.number, { commit: committed.commit })),
          Effect.orDie,
          Effect.provideService(Git, git)
        )
    })
    const { commit, ignored = [] } = yield* retryWhileUnwritable(ofRepository(git, repository), onProblem)(committing)
    const position: TaskPosition = { worktree, tip: commit, ignored }
    return position
  })

interface Circumstances {
  /** The ignored files that were there before the work. */
  readonly known: ReadonlyArray<string>
  readonly gateLog: string
  /** The task file. */
  readonly file: RepoPath
  readonly worktree: Worktree
  /** Whether the commit had to wait until the disk could be written. */
  readonly wasUnwritable: boolean
}

/** Notes what the user may not expect of the work, before the branch moves to it: a crash after that loses no note. */
const noteUnexpected = (
  ctx: RunContext,
  about: { readonly unit: string; readonly task: number },
  { changed, ignored = [], isEmpty = false, replaced }: Committed,
  { file, gateLog, known, worktree, wasUnwritable }: Circumstances
) =>
  Effect.gen(function* () {
    const { keep, snapshot } = ctx
    const note = (text: string) => Note.add(ctx, about, text)
    const before = new Set(known)
    const made = yield* madeBefore(
      gateLog,
      worktree,
      ignored.filter((file) => !before.has(file))
    )
    // They do not land, and the gate may need them.
    if (made.length > 0)
      yield* note(
        `the gate passed beside files that git ignores and that do not land: ${listFiles(made)}; ` +
          "if it needs them, it fails elsewhere unless setup or copy provides them"
      )
    if (isEmpty)
      yield* note("the gate passed although no file was changed: it may pass even before the task is started")
    // Do not blame the agent for plan files that a full disk has truncated.
    const [ofGate, ofAgent] = Array.partition(replaced, (path) => keep.includes(path) || path === file)
    if (ofAgent.length > 0 && !wasUnwritable)
      yield* note(`the agent changed ${listFiles(ofAgent)}: plan files were restored`)
    if (ofGate.length > 0)
      yield* note(
        `protected files were changed while the gate ran, and are committed as they were: ${listFiles(ofGate)}`
      )
    const { dir } = snapshot.plan
    const added = changed.filter((path) => isPlanFile(snapshot.plan, path) && !keep.some((kept) => kept === path))
    if (added.length > 0)
      yield* note(
        `task files were added, which land with the work and are run by the next job of ${dir}: ${listFiles(added)}`
      )
  })

/** Whether the next job would read the file as a task or a unit. */
const isPlanFile = ({ dir }: Plan, file: string): boolean => {
  const parent = dirname(file)
  const name = basename(file)
  return (parent === dir || dirname(parent) === dir) && (TaskFile.isName(name) || name === UnitFile.fileName)
}

/** The ignored files of a worktree; none if they cannot be listed. */
export const ignoredFiles = ({ repository }: RunContext, { tip, worktree }: TaskPosition) =>
  Effect.orElseSucceed(
    Effect.map(
      Effect.flatMap(Git, (git) => git.compare(repository, worktree, tip)),
      ({ ignored }) => ignored
    ),
    (): ReadonlyArray<string> => []
  )

/** The files that were created before the gate, and so before its log. */
const madeBefore = (gateLog: string, worktree: Worktree, files: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    if (files.length === 0) return []
    const gate = yield* createdAt(gateLog)
    return yield* Effect.filter(files, (file) =>
      Effect.map(createdAt(`${worktree.path}/${file}`), (time) => time < gate)
    )
  })

/** When a file was created, or last written on a file system that does not record that. */
const createdAt = (path: string) =>
  Effect.promise(() =>
    lstat(path).then(
      ({ birthtimeMs, mtimeMs }) => (birthtimeMs > 0 ? birthtimeMs : mtimeMs),
      () => Infinity
    )
  )

const listFiles = (files: ReadonlyArray<string>): string => plainText.few(files.map(plainText.line), 3)
