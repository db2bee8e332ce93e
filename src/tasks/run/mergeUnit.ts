/**
 * Merges a completed unit into the result.
 */
import { Effect, Schema } from "effect"
import { now } from "../../internal/now.js"
import { Git } from "../../git/Git.js"
import { MergeResult } from "../../git/Merge.js"
import { type ObjectId, RepoPath } from "../../git/RefNames.js"
import type { Unit } from "../plan/Plan.js"
import * as Settings from "../plan/Settings.js"
import type { RunContext } from "./RunContext.js"
import * as ResultBranch from "./ResultBranch.js"
import { MergeConflict } from "./errors.js"
import type { TaskPosition } from "./commitTask.js"
import * as resolveConflict from "./resolveConflict.js"
import * as Setup from "./Setup.js"
import * as verifyMerge from "./verifyMerge.js"
import * as UnitWorktree from "./UnitWorktree.js"

interface Merging {
  readonly ours: ObjectId
  readonly theirs: ObjectId
  readonly isCarriedOver?: boolean
  /** Whether a conflict is marked in a commit. */
  readonly marks?: boolean
  readonly title?: string
}

/** The job whose unit is merged. */
interface MergeContext extends Pick<RunContext, "repository"> {
  readonly job: Pick<RunContext["job"], "id">
  readonly snapshot: Pick<RunContext["snapshot"], "plan">
}

/** Merges two commits without moving a branch. In work taken over from a retried job, plan files that changed since prevail. */
export const mergeCommits = (
  { job, repository, snapshot }: MergeContext,
  unit: Unit,
  { isCarriedOver = false, marks = false, ours, theirs, title = `Merge unit ${unit.id}` }: Merging
) =>
  Effect.gen(function* () {
    const git = yield* Git
    const subject = { title, jobId: job.id, unit: unit.id }
    const yields = isCarriedOver ? yield* Schema.decode(Schema.Array(RepoPath))(snapshot.plan.files) : []
    const outcome = yield* git.merge(repository, { ours, theirs, subject, yields, marks })
    return yield* MergeResult.$match(outcome, {
      UpToDate: ({ commit }) => Effect.succeed(commit),
      FastForward: ({ commit }) => Effect.succeed(commit),
      Merged: ({ commit }) => Effect.succeed(commit),
      Conflict: ({ files, unresolved }) => new MergeConflict({ unit: unit.id, files, unresolved })
    })
  })

/**
 * Merges the unit. A merge with other units is verified in the unit's worktree before the result moves. The commit is recorded
 * before the branch is set: after a crash the next attempt sets the branch to it.
 */
export const merge = (ctx: RunContext, unit: Unit, { tip, worktree: completed }: TaskPosition, result: ObjectId) =>
  Effect.gen(function* () {
    const { emit, progress } = ctx
    // Work taken over has the plan files as the retried job had them, except the files of done tasks, which are as they are now.
    const isCarriedOver = ctx.snapshot.taken.begun[unit.id] !== undefined
    const marks = resolveConflict.isWanted(ctx.job.config, ctx.snapshot)
    const commit = yield* Effect.catchTag(
      mergeCommits(ctx, unit, { ours: result, theirs: tip, isCarriedOver, marks }),
      "MergeConflict",
      (conflict) => resolveConflict.run(ctx, unit, conflict)
    )
    const fastForward = commit === tip
    // Work taken over may have been merged with newer commits when the unit was started, and a person may have changed it.
    const isMerge = !fastForward || isCarriedOver
    const isVerified = isMerge || Settings.baselineOf(ctx.snapshot.plan.settings).run.length > 0
    const worktree = isVerified ? yield* forward(ctx, unit, completed, { from: tip, to: commit }) : completed
    // If its conflict was resolved, by a turn of its agent or on its branch by a person, the work of others may be lost in it.
    const isResolved = resolveConflict.hadTurn(ctx, unit) || (isCarriedOver && unit.remaining.length === 0)
    const others = isResolved ? verifyMerge.merged(ctx) : []
    if (isMerge) yield* verifyMerge.gates(ctx, worktree, verifyMerge.doneTasks(ctx, ...others, unit.id))
    yield* verifyMerge.baseline(ctx, worktree)
    yield* progress.changeUnit(unit.id, { commit })
    yield* ResultBranch.trySet(ctx, commit)
    yield* progress.changeUnit(unit.id, { state: "merged", endedAt: yield* now })
    yield* emit("unit.merged", { commit, fastForward }, { unit: unit.id })
    yield* UnitWorktree.close(ctx, worktree)
    yield* resolveConflict.end(ctx, unit, tip, true)
  }).pipe(
    // The user can then check its branch out, and resolve there what keeps it from being merged.
    Effect.tapError(({ _tag }) =>
      _tag === "StoreError" || _tag === "Superseded" || _tag === "AgentsUnavailable"
        ? Effect.void
        : Effect.zipRight(UnitWorktree.release(ctx, completed), resolveConflict.end(ctx, unit, tip, false))
    )
  )

/** Moves the worktree to the merged commit, and sets it up again. It is recreated if another unit's agent has damaged it meanwhile. */
const forward = (
  ctx: RunContext,
  { id }: Unit,
  worktree: UnitWorktree.UnitWorktree,
  move: { readonly from: ObjectId; readonly to: ObjectId }
) => {
  const recreate = ({ message }: { readonly message: string }) =>
    Effect.zipRight(
      Effect.logWarning(`recreating the worktree of unit ${id}: ${message}`),
      UnitWorktree.make(ctx, { unit: id, branch: worktree.branch, at: move.to })
    )
  return Effect.flatMap(Git, (git) => git.forward(ctx.repository, worktree, move)).pipe(
    Effect.zipRight(move.from === move.to ? Effect.void : Setup.again(ctx, worktree, move.to)),
    Effect.as(worktree),
    Effect.catchTags({
      BranchMissing: recreate,
      BranchMoved: recreate,
      HeadMoved: recreate,
      NestedRepository: recreate,
      OperationInProgress: recreate,
      WorktreeBroken: recreate
    })
  )
}
