/**
 * A unit whose tasks are done comes into the result.
 */
import { DateTime, Effect, Schema } from "effect"
import { Git } from "../../git/Git.js"
import { MergeResult } from "../../git/Merge.js"
import { type ObjectId, RepoPath } from "../../git/RefNames.js"
import type { Unit } from "../plan/Plan.js"
import type { RunContext } from "./RunContext.js"
import * as ResultBranch from "./ResultBranch.js"
import { MergeConflict } from "./errors.js"
import type { TaskPosition } from "./runTask.js"
import * as verifyMerge from "./verifyMerge.js"
import * as UnitWorktree from "./UnitWorktree.js"

/** Two lines of work as one commit; nothing moves. What an earlier job has begun yields to a plan that was changed since. */
export const join = (
  { context, repository, submission }: RunContext,
  unit: Unit,
  { isBegun = false, ours, theirs }: { readonly ours: ObjectId; readonly theirs: ObjectId; readonly isBegun?: boolean }
) =>
  Effect.gen(function* () {
    const git = yield* Git
    const subject = { title: `Merge unit ${unit.id}`, jobId: context.id, unit: unit.id }
    const yields = isBegun ? yield* Schema.decode(Schema.Array(RepoPath))(submission.plan.files) : []
    const outcome = yield* git.merge(repository, { ours, theirs, subject, yields })
    return yield* MergeResult.$match(outcome, {
      UpToDate: ({ commit }) => Effect.succeed(commit),
      FastForward: ({ commit }) => Effect.succeed(commit),
      Merged: ({ commit }) => Effect.succeed(commit),
      Conflict: ({ files }) => new MergeConflict({ unit: unit.id, files })
    })
  })

/**
 * Merges the unit. What was made by it together with others is looked at in its own workplace, before the result moves. The
 * commit is recorded first: from then on it counts, and the next attempt sets the branch to it.
 */
export const merge = (job: RunContext, unit: Unit, { place: worked, tip }: TaskPosition, result: ObjectId) =>
  Effect.gen(function* () {
    const { progress, tell } = job
    const commit = yield* join(job, unit, { ours: result, theirs: tip })
    const fastForward = commit === tip
    // What an earlier job has begun was merged before, with what had come in between.
    const isMixed = !fastForward || job.submission.taken.begun[unit.id] !== undefined
    const isLookedAt = isMixed || job.submission.plan.settings.baseline.length > 0
    const place = isLookedAt ? yield* layOut(job, unit, worked, { from: tip, to: commit }) : worked
    yield* Effect.zipRight(
      isMixed ? verifyMerge.gates(job, place, verifyMerge.doneTasks(job, unit.id)) : Effect.void,
      verifyMerge.baseline(job, place)
    ).pipe(
      // Its branch is nothing to go on from.
      Effect.tapErrorTag("CommandFailed", () => progress.changeUnit(unit.id, { base: undefined }))
    )
    yield* progress.changeUnit(unit.id, { commit })
    yield* ResultBranch.show(job, commit)
    yield* progress.changeUnit(unit.id, { state: "merged", endedAt: yield* DateTime.now })
    yield* tell("unit.merged", { commit, fastForward }, { unit: unit.id })
    yield* UnitWorktree.close(job, place)
  })

/** The workplace with what was merged. The agent of another unit may have got at it, while it waited for its turn. */
const layOut = (
  job: RunContext,
  { id }: Unit,
  place: UnitWorktree.UnitWorktree,
  move: { readonly from: ObjectId; readonly to: ObjectId }
) => {
  const anew = ({ message }: { readonly message: string }) =>
    Effect.zipRight(
      Effect.logWarning(`the worktree of unit ${id} is made anew: ${message}`),
      UnitWorktree.open(job, { unit: id, branch: place.worktree.branch, at: move.to })
    )
  return Effect.flatMap(Git, (git) => git.forward(job.repository, place.worktree, move)).pipe(
    Effect.as(place),
    Effect.catchTags({
      BranchMissing: anew,
      BranchMoved: anew,
      HeadMoved: anew,
      NestedRepository: anew,
      OperationInProgress: anew,
      WorktreeBroken: anew
    })
  )
}
