/**
 * Where a unit is worked on: a worktree of its own outside the repository, on a branch of its own.
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

export interface UnitWorktree {
  readonly worktree: Worktree
  /** Missing where all of them are looked at together. */
  readonly unit: UnitName | undefined
  /** The directory for what is printed here. */
  readonly logs: string
}

/** Makes it, or makes it anew, with the branch at a commit; whatever was left there is gone. */
export const open = (
  job: RunContext,
  { at, branch, unit }: { readonly unit?: UnitName; readonly branch: OwnBranch; readonly at: ObjectId }
) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { directories, repository } = job
    // No unit has such a name.
    const name = unit ?? "_landing"
    const path = yield* Schema.decode(AbsolutePath)(`${directories.worktrees}/${name}`)
    yield* git.removeWorktree(repository, path)
    yield* git.restore(repository, branch, at)
    const worktree = yield* git.addWorktree(repository, { path, branch })
    const place: UnitWorktree = { worktree, unit, logs: `${directories.logs}/${name}` }
    yield* copyUntracked.bring(job, worktree)
    yield* setUp(job, place)
    return place
  })

/** What an agent has made of it that no further attempt could go on from: none if it stands where it should. */
export const fault = ({ repository }: RunContext, { worktree }: UnitWorktree, tip: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { commit } = yield* git.status(repository, worktree)
    return (yield* git.isAncestor(repository, tip, commit))
      ? Option.none()
      : Option.some(`the branch ${worktree.branch} no longer holds what it held`)
  }).pipe(
    // What is in it then is the agent's to mend, be it what git cannot read.
    Effect.catchTags({ GitFailed: () => Effect.succeedNone, NestedRepository: () => Effect.succeedNone }),
    Effect.catchTags({ BranchMissing: said, HeadMoved: said, OperationInProgress: said, WorktreeBroken: said })
  )

const said = ({ message }: { readonly message: string }) => Effect.succeedSome(message)

/** Removes it with its branch, once another one holds what was done here. */
export const close = ({ repository }: RunContext, { worktree }: UnitWorktree) =>
  Effect.gen(function* () {
    const git = yield* Git
    yield* git.removeWorktree(repository, worktree.path)
    yield* git.deleteBranch(repository, worktree.branch)
  }).pipe(leftBehind)

/** The same for those of units that are merged: an earlier attempt of the job was cut off before it came to this. */
export const closeLeft = ({ context, progress, repository, submission }: RunContext) =>
  Effect.gen(function* () {
    const git = yield* Git
    const merged = submission.plan.units.filter(({ id }) => progress.unit(id).state === "merged")
    const branches = new Set(merged.map(({ id }) => unitBranch(context.id, id)))
    if (branches.size === 0) return
    for (const { branch, path } of yield* git.worktrees(repository))
      if (branches.has(branch)) yield* git.removeWorktree(repository, path)
    for (const { branch } of yield* git.ownBranches(repository))
      if (branches.has(branch)) yield* git.deleteBranch(repository, branch)
  }).pipe(leftBehind)

const leftBehind = <R>(removal: Effect.Effect<void, GitError, R>): Effect.Effect<void, never, R> =>
  Effect.catchAll(removal, ({ message }) =>
    Effect.logWarning(`a worktree is left behind, for charlotte prune: ${message}`)
  )

/** What fails may be short of something that comes back, such as the network. */
const setUps = 3
const pause = Duration.seconds(1)

const setUp = (job: RunContext, place: UnitWorktree) =>
  Effect.gen(function* () {
    const command = job.submission.plan.settings.setup
    if (command === undefined) return
    const about = place.unit === undefined ? {} : { unit: place.unit }
    for (let attempt = 1; ; attempt++) {
      yield* job.tell("unit.setup.started", { command, attempt }, about)
      const log = `${place.logs}/setup-${job.context.attempt}.${attempt}.log`
      const ran = yield* runCommand.line(job, place, { line: command, purpose: "setup", log })
      if (ran.reason === undefined) return
      yield* job.tell("unit.setup.failed", { command, attempt, reason: ran.reason, log: ran.log }, about)
      if (attempt === setUps) return yield* new CommandFailed({ purpose: "setup", command, reason: ran.reason, log })
      yield* Effect.sleep(Duration.times(pause, 2 ** (attempt - 1)))
    }
  })
