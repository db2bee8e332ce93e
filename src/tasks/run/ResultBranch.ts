/**
 * The result branch. It only shows the result to the user: the recorded commits determine what the result is.
 */
import { Effect } from "effect"
import { Git } from "../../git/Git.js"
import type { ObjectId } from "../../git/RefNames.js"
import type { RunContext } from "./RunContext.js"

type Branch = Pick<RunContext, "repository" | "result">

/** Sets the branch to a commit, and updates the files of its checkout. An agent may have moved it, so it is reset if necessary. */
export const set = ({ repository, result }: Branch, to: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    const reset = () => git.restore(repository, result, to)
    yield* git.resolve(repository, result).pipe(
      Effect.flatMap((from) => git.advance(repository, result, { from, to })),
      Effect.catchTags({
        BranchMissing: reset,
        BranchMoved: reset,
        CheckoutInTheWay: reset,
        ContentFiltered: reset,
        NotFastForward: reset,
        OperationInProgress: reset,
        SymbolicBranch: reset,
        WorktreeBroken: reset
      })
    )
  })

/** `set`, which only logs a warning if the branch cannot be moved because it is checked out. */
export const trySet = (branch: Branch, to: ObjectId) =>
  Effect.catchTag(set(branch, to), "BranchCheckedOut", ({ message }) =>
    Effect.logWarning(`the result branch could not be moved to ${to}: ${message}`)
  )
