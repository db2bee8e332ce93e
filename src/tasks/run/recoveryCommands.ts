/**
 * Commands with which the user can finish what a job may not do; they work regardless of what is checked out.
 */
import { Effect } from "effect"
import { Git } from "../../git/Git.js"
import type { BranchName, ObjectId, OwnBranch } from "../../git/RefNames.js"
import type { Repository } from "../../git/Repository.js"
import { command, mergeCommand } from "../../git/shellQuote.js"

interface Branches {
  readonly target: BranchName
  /** The branch with the work. */
  readonly result: OwnBranch
}

/** The checkout of the target, or else the checkout in which to switch to it. */
const checkoutOf = (repository: Repository, target: BranchName) =>
  Effect.gen(function* () {
    const git = yield* Git
    const [checkout] = yield* git.checkouts(repository, target)
    return { path: checkout ?? repository.topLevel, isCheckedOut: checkout !== undefined }
  })

/** Merges the work into the target. */
export const merge = (repository: Repository, { result, target }: Branches) =>
  Effect.map(checkoutOf(repository, target), ({ isCheckedOut, path }) => {
    const switchCommand = isCheckedOut ? "" : `${command("git", "-C", path, "switch", target)} && `
    return `${switchCommand}${mergeCommand(path, result)}`
  })

/** Rebases the work, which started at commit `base`, onto a target that no longer contains that commit. */
export const rebase = (repository: Repository, { base, result, target }: Branches & { readonly base: ObjectId }) =>
  Effect.map(checkoutOf(repository, target), ({ path }) =>
    [
      command("git", "-C", path, "rebase", "--onto", target, base, result),
      command("git", "-C", path, "switch", target),
      mergeCommand(path, result, { fastForwardOnly: true })
    ].join(" && ")
  )
