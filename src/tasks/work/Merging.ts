/**
 * A unit whose tasks are done comes into the result.
 */
import { DateTime, Effect, Schema } from "effect"
import { Git } from "../Git.js"
import { MergeResult } from "../git/Merge.js"
import { type ObjectId, RepoPath } from "../git/Names.js"
import type { Unit } from "../plan/Plan.js"
import type { Job } from "./Job.js"
import { MergeConflict } from "./TaskFailure.js"
import type { Spot } from "./TaskWork.js"
import * as Verification from "./Verification.js"
import * as Workplace from "./Workplace.js"

/** Two lines of work as one commit; nothing moves. What an earlier job has begun yields to a plan that was changed since. */
export const join = (
  { context, repository, submission }: Job,
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
export const merge = (job: Job, unit: Unit, { place, tip }: Spot, result: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { progress, repository, tell } = job
    const commit = yield* join(job, unit, { ours: result, theirs: tip })
    const fastForward = commit === tip
    if (!fastForward) yield* git.forward(repository, place.worktree, { from: tip, to: commit })
    // What an earlier job has begun was merged before, with what had come in between.
    const isMixed = !fastForward || job.submission.taken.begun[unit.id] !== undefined
    yield* Effect.zipRight(
      isMixed ? Verification.gates(job, place, Verification.doneTasks(job, unit.id)) : Effect.void,
      Verification.baseline(job, place)
    ).pipe(
      // Its branch is nothing to go on from.
      Effect.tapErrorTag("CommandFailed", () => progress.changeUnit(unit.id, { base: undefined }))
    )
    yield* progress.changeUnit(unit.id, { commit })
    yield* advance(job, { from: result, to: commit })
    yield* progress.changeUnit(unit.id, { state: "merged", endedAt: yield* DateTime.now })
    yield* tell("unit.merged", { commit, fastForward }, { unit: unit.id })
    yield* Workplace.close(job, place)
  })

/** Nobody else has a reason to move the result; an agent may have done so all the same. */
const advance = ({ repository, result }: Job, { from, to }: { readonly from: ObjectId; readonly to: ObjectId }) =>
  Effect.gen(function* () {
    const git = yield* Git
    yield* git.advance(repository, result, { from, to }).pipe(
      Effect.catchTags({
        BranchMoved: () => git.restore(repository, result, to),
        BranchMissing: () => git.restore(repository, result, to)
      })
    )
  })
