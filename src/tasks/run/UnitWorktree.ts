/**
 * The worktree of a unit, outside the repository and on a separate branch.
 */
import { Duration, Effect, Option, Schema } from "effect"
import { Git } from "../../git/Git.js"
import type { GitError } from "../../git/GitError.js"
import { AbsolutePath, type ObjectId, type OwnBranch, unitBranch, type UnitName } from "../../git/RefNames.js"
import type { Worktree } from "../../git/Worktrees.js"
import * as copyUntracked from "./copyUntracked.js"
import type { RunContext } from "./RunContext.js"
import * as runCommand from "./runCommand.js"
import { CommandFailed } from "./errors.js"

export interface UnitWorktree extends Worktree {
  /** Missing for the worktree in which the landing of the whole result is verified. */
  readonly unit: UnitName | undefined
  /** The directory for the logs of commands that run here. */
  readonly logs: string
}

/** Creates the worktree with its branch at a commit, and runs the setup; an existing worktree is removed first. */
export const open = (
  ctx: RunContext,
  { at, branch, unit }: { readonly unit?: UnitName; readonly branch: OwnBranch; readonly at: ObjectId }
) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { directories, repository } = ctx
    // The name is no valid unit name, so it cannot collide with one.
    const name = unit ?? "_landing"
    const path = yield* Schema.decode(AbsolutePath)(`${directories.worktrees}/${name}`)
    yield* git.removeWorktree(repository, path)
    yield* git.restore(repository, branch, at)
    const added = yield* git.addWorktree(repository, { path, branch })
    const worktree: UnitWorktree = { ...added, unit, logs: `${directories.logs}/${name}` }
    yield* copyUntracked.into(ctx, worktree)
    yield* setUp(ctx, worktree)
    return worktree
  })

/** Why the worktree cannot be used for another attempt; none if it can. */
export const fault = ({ repository }: RunContext, worktree: UnitWorktree, tip: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { commit } = yield* git.status(repository, worktree)
    return (yield* git.isAncestor(repository, tip, commit))
      ? Option.none()
      : Option.some(`the branch ${worktree.branch} no longer contains its earlier commits`)
  }).pipe(
    // The agent can fix files in the worktree, even files that git cannot read.
    Effect.catchTags({ GitFailed: () => Effect.succeedNone, NestedRepository: () => Effect.succeedNone }),
    Effect.catchTags({
      BranchMissing: asFault,
      HeadMoved: asFault,
      OperationInProgress: asFault,
      WorktreeBroken: asFault
    })
  )

const asFault = ({ message }: { readonly message: string }) => Effect.succeedSome(message)

/** Removes the worktree and its branch, once another branch contains its commits. */
export const close = ({ repository }: RunContext, worktree: UnitWorktree) =>
  Effect.gen(function* () {
    const git = yield* Git
    yield* git.removeWorktree(repository, worktree.path)
    yield* git.deleteBranch(repository, worktree.branch)
  }).pipe(logLeftover)

/** Closes the worktrees of merged units that an interrupted attempt left open. */
export const closeMerged = ({ job, progress, repository, snapshot }: RunContext) =>
  Effect.gen(function* () {
    const git = yield* Git
    const merged = snapshot.plan.units.filter(({ id }) => progress.unit(id).state === "merged")
    const branches = new Set(merged.map(({ id }) => unitBranch(job.id, id)))
    if (branches.size === 0) return
    for (const { branch, path } of yield* git.worktrees(repository))
      if (branches.has(branch)) yield* git.removeWorktree(repository, path)
    for (const { branch } of yield* git.ownBranches(repository))
      if (branches.has(branch)) yield* git.deleteBranch(repository, branch)
  }).pipe(logLeftover)

const logLeftover = <R>(removal: Effect.Effect<void, GitError, R>): Effect.Effect<void, never, R> =>
  Effect.catchAll(removal, ({ message }) =>
    Effect.logWarning(`a worktree could not be removed; charlotte prune removes it later: ${message}`)
  )

/** A failure may be temporary, such as a lost network connection. */
const setupAttempts = 3
const pause = Duration.seconds(1)

const setUp = (ctx: RunContext, worktree: UnitWorktree) =>
  Effect.gen(function* () {
    const command = ctx.snapshot.plan.settings.setup
    if (command === undefined) return
    const position = worktree.unit === undefined ? {} : { unit: worktree.unit }
    for (let attempt = 1; ; attempt++) {
      yield* ctx.emit("unit.setup.started", { command, attempt }, position)
      const log = `${worktree.logs}/setup-${ctx.job.attempt}.${attempt}.log`
      const result = yield* runCommand.line(ctx, worktree, { line: command, span: "setup", purpose: "setup", log })
      if (result.reason === undefined) return
      yield* ctx.emit("unit.setup.failed", { command, attempt, reason: result.reason, log: result.log }, position)
      if (attempt === setupAttempts)
        return yield* new CommandFailed({ purpose: "setup", command, reason: result.reason, log })
      yield* Effect.sleep(Duration.times(pause, 2 ** (attempt - 1)))
    }
  })
