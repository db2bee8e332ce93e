/**
 * The worktree of a unit, outside the repository and on a separate branch.
 */
import { Effect, Option, Schema } from "effect"
import { Git } from "../../git/Git.js"
import {
  AbsolutePath,
  mergeBranch,
  type ObjectId,
  type OwnBranch,
  unitBranch,
  type UnitName
} from "../../git/RefNames.js"
import type { Worktree } from "../../git/Worktrees.js"
import * as plainText from "../../internal/plainText.js"
import type { Snapshot } from "../Snapshots.js"
import * as DiscardedWork from "./DiscardedWork.js"
import type { RunContext } from "./RunContext.js"
import * as Note from "./Note.js"
import * as saveUnfinished from "./saveUnfinished.js"
import * as Setup from "./Setup.js"

export interface UnitWorktree extends Worktree {
  /** Missing for the worktree in which the landing of the whole result is verified. */
  readonly unit: UnitName | undefined
  /** The directory for the logs of commands that run here. */
  readonly logs: string
  /** The snapshot of unfinished work with which it was made. */
  readonly restored?: Snapshot | undefined
}

interface Start {
  readonly branch: OwnBranch
  /** The last good commit. */
  readonly at: ObjectId
  /** The name of its directory, if a conflict of the unit is resolved there. */
  readonly directory?: string | undefined
}

/**
 * The worktree of a unit with an unfinished task, as the last turn left it: with all its files, and the agent's commits on its branch.
 * If it cannot be kept, it is made again, with the saved files unless the agent left its branch or an operation of git under way.
 */
export const open = (ctx: RunContext, unit: UnitName, { at, branch, directory }: Start) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { repository } = ctx
    const path = yield* pathOf(ctx, unit, directory)
    let why: string | undefined
    const unusable = ({ problem }: { readonly problem: string }) =>
      Effect.sync(() => {
        why = problem
        return Option.none()
      })
    const kept = yield* git.reopenWorktree(repository, { path, branch, at }).pipe(
      Effect.catchTags({
        BranchMissing: unusable,
        HeadMoved: unusable,
        OperationInProgress: unusable,
        WorktreeBroken: unusable
      })
    )
    if (Option.isNone(kept)) {
      const { discarded, unfinished } = yield* saveUnfinished.continued(ctx, { unit, path, branch, at })
      const worktree = yield* create(ctx, { unit, branch, at, directory }, Option.fromNullable(unfinished))
      if (why !== undefined && unfinished === undefined)
        yield* DiscardedWork.note(ctx, worktree, { commit: at, why, snapshot: Option.fromNullable(discarded) })
      return worktree
    }
    const worktree = yield* prepare(ctx, kept.value, { unit, at, directory })
    // The branch in the user's repository contains only work that has passed its gate.
    yield* git.restore(repository, branch, at)
    return worktree
  })

/**
 * Takes the worktree with the unfinished work of a unit over from the retried job; returns whether it could. The path is recorded
 * first, so that this job knows its directory after a crash.
 */
export const adopt = (ctx: RunContext, unit: UnitName, task: number, at: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { job, progress, repository, snapshot } = ctx
    const former = snapshot.taken.worktrees[unit]
    if (former === undefined) return false
    const branch = unitBranch(job.id, unit)
    yield* progress.changeUnit(unit, { worktree: former.path })
    yield* git.restore(repository, branch, at)
    const refused = ({ message }: { readonly message: string }) => {
      const note = `the worktree of job ${snapshot.taken.from} could not be taken over: ${plainText.line(message)}`
      return Effect.as(Note.add(ctx, { unit, task }, note), false)
    }
    const isAdopted = yield* git.adoptWorktree(repository, { path: former.path, from: former.branch, branch, at }).pipe(
      Effect.catchTags({
        BranchMissing: refused,
        HeadMoved: refused,
        OperationInProgress: refused,
        WorktreeBroken: refused
      })
    )
    if (!isAdopted) yield* progress.changeUnit(unit, { worktree: undefined })
    return isAdopted
  })

export interface Making extends Start {
  /** Missing for the worktree in which the landing of the whole result is verified. */
  readonly unit?: UnitName
}

/** Creates the worktree as `create` does; the unfinished work in an existing one is saved, and no later attempt continues it. */
export const make = (ctx: RunContext, { at, branch, unit }: Making) =>
  Effect.gen(function* () {
    if (unit === undefined) return yield* create(ctx, { at, branch })
    const path = yield* pathOf(ctx, unit)
    yield* saveUnfinished.discarded(ctx, { unit, path, branch, at })
    return yield* create(ctx, { at, branch, unit })
  })

/** Creates the worktree with its branch at a commit, and runs the setup; an existing worktree, whose work is saved, is removed first. */
export const create = (
  ctx: RunContext,
  { at, branch, directory, unit }: Making,
  unfinished: saveUnfinished.Continued = Option.none()
) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { repository } = ctx
    const path = yield* pathOf(ctx, unit, directory)
    yield* git.removeWorktree(repository, path)
    yield* git.restore(repository, branch, at)
    const files = yield* saveUnfinished.addWorktree(ctx, { path, branch }, unfinished)
    return yield* prepare(ctx, files, { unit, at, directory })
  })

/** The name is no valid unit name, so it cannot collide with one. */
const nameOf = (unit: UnitName | undefined): string => unit ?? "_landing"

/** The recorded directory of a unit, or the one in which it will be worked on, unless another is named. */
export const pathOf = ({ directories, progress }: RunContext, unit: UnitName | undefined, directory?: string) => {
  const recorded = unit === undefined || directory !== undefined ? undefined : progress.unit(unit).worktree
  return Schema.decode(AbsolutePath)(recorded ?? `${directories.worktrees}/${directory ?? nameOf(unit)}`)
}

const prepare = (
  ctx: RunContext,
  files: Pick<UnitWorktree, keyof Worktree | "restored">,
  { at, directory, unit }: Pick<Making, "at" | "directory"> & { readonly unit: UnitName | undefined }
) => {
  const worktree: UnitWorktree = { ...files, unit, logs: `${ctx.directories.logs}/${nameOf(unit)}` }
  if (directory === undefined) return Effect.as(Setup.first(ctx, worktree, at), worktree)
  // A file that it needs, such as a lock file, may be in conflict.
  return Setup.first(ctx, worktree, at, "conflict-setup").pipe(
    Effect.catchTag("CommandFailed", ({ message }) => Effect.logWarning(message)),
    Effect.as(worktree)
  )
}

/** Why the worktree cannot be used for another attempt; none if it can. */
export const fault = ({ repository }: RunContext, worktree: UnitWorktree, tip: ObjectId) =>
  Effect.flatMap(Git, (git) => git.verifyWorktree(repository, worktree, tip)).pipe(
    Effect.as(Option.none<string>()),
    // The agent can fix what git cannot read.
    Effect.catchTag("GitFailed", () => Effect.succeedNone),
    Effect.catchTags({
      BranchMissing: asFault,
      HeadMoved: asFault,
      OperationInProgress: asFault,
      WorktreeBroken: asFault
    })
  )

const asFault = ({ problem }: { readonly problem: string }) => Effect.succeedSome(problem)

/** Removes the worktree, but not its branch. */
export const release = ({ repository }: RunContext, { path }: UnitWorktree) =>
  Effect.flatMap(Git, (git) => git.removeWorktree(repository, path)).pipe(logLeftover)

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
    const branches = new Set(merged.flatMap(({ id }) => [unitBranch(job.id, id), mergeBranch(job.id, id)]))
    if (branches.size === 0) return
    for (const { branch, path } of yield* git.worktrees(repository))
      if (branches.has(branch)) yield* git.removeWorktree(repository, path)
    for (const { branch } of yield* git.ownBranches(repository))
      if (branches.has(branch)) yield* git.deleteBranch(repository, branch)
  }).pipe(logLeftover)

export const logLeftover = <E extends { readonly message: string }, R>(
  removal: Effect.Effect<void, E, R>
): Effect.Effect<void, never, R> =>
  Effect.catchAll(removal, ({ message }) =>
    Effect.logWarning(`a worktree could not be removed; charlotte prune removes it later: ${message}`)
  )
