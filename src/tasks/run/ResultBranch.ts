/**
 * The branch of the result. The record says at which commit it should be; nothing but what is shown depends on it.
 */
import { Effect } from "effect"
import { Git } from "../../git/Git.js"
import type { ObjectId } from "../../git/RefNames.js"
import type { RunContext } from "./RunContext.js"

type Branch = Pick<RunContext, "repository" | "result">

/** Moves it to a commit; where the user has it checked out, his files come along. An agent may have put it anywhere. */
export const set = ({ repository, result }: Branch, to: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    const anyway = () => git.restore(repository, result, to)
    yield* git.resolve(repository, result).pipe(
      Effect.flatMap((from) => git.advance(repository, result, { from, to })),
      Effect.catchTags({
        BranchMissing: anyway,
        BranchMoved: anyway,
        CheckoutInTheWay: anyway,
        ContentFiltered: anyway,
        NotFastForward: anyway,
        OperationInProgress: anyway,
        SymbolicBranch: anyway,
        WorktreeBroken: anyway
      })
    )
  })

/** The same, content with less where somebody else has it checked out. */
export const show = (branch: Branch, to: ObjectId) =>
  Effect.catchTag(set(branch, to), "BranchCheckedOut", ({ message }) =>
    Effect.logWarning(`the result is ${to}, and its branch stays behind: ${message}`)
  )
