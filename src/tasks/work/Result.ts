/**
 * The branch of the result. The record says at which commit it should be; nothing but what is shown depends on it.
 */
import { Effect } from "effect"
import { Git } from "../Git.js"
import type { ObjectId } from "../git/Names.js"
import type { Job } from "./Job.js"

/** Sets it to a commit, wherever somebody has moved it; where the user has it checked out, his files come along. */
export const set = ({ repository, result }: Pick<Job, "repository" | "result">, to: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    yield* Effect.catchTag(git.restore(repository, result, to), "BranchCheckedOut", () =>
      Effect.flatMap(git.resolve(repository, result), (from) => git.advance(repository, result, { from, to }))
    )
  })

/** The same, content with less where somebody holds on to the branch. */
export const show = (job: Pick<Job, "repository" | "result">, to: ObjectId) => {
  const stays = ({ message }: { readonly message: string }) =>
    Effect.logWarning(`the branch ${job.result} stays behind ${to}: ${message}`)
  return Effect.catchTags(set(job, to), {
    BranchCheckedOut: stays,
    BranchMissing: stays,
    BranchMoved: stays,
    CheckoutInTheWay: stays,
    NotFastForward: stays,
    OperationInProgress: stays,
    WorktreeBroken: stays
  })
}
