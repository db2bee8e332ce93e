/**
 * What a user can do by hand where a job may not: commands to be pasted into a shell, whatever is checked out there.
 */
import { Effect } from "effect"
import { Git } from "../../git/Git.js"
import type { BranchName, ObjectId, OwnBranch } from "../../git/RefNames.js"
import type { Repository } from "../../git/Repository.js"
import { command, mergeCommand } from "../../git/shellQuote.js"

interface Places {
  readonly target: BranchName
  /** The branch that holds the work. */
  readonly result: OwnBranch
}

/** Where the target is checked out, or else where it can be. */
const place = (repository: Repository, target: BranchName) =>
  Effect.gen(function* () {
    const git = yield* Git
    const [checkout] = yield* git.checkouts(repository, target)
    return { path: checkout ?? repository.topLevel, isThere: checkout !== undefined }
  })

/** Merges the work into the target. */
export const merge = (repository: Repository, { result, target }: Places) =>
  Effect.map(place(repository, target), ({ isThere, path }) => {
    const turn = isThere ? "" : `${command("git", "-C", path, "switch", target)} && `
    return `${turn}${mergeCommand(path, result)}`
  })

/** Puts the work that was begun at a commit upon a target that no longer contains it. */
export const rebase = (repository: Repository, { begun, result, target }: Places & { readonly begun: ObjectId }) =>
  Effect.map(place(repository, target), ({ path }) =>
    [
      command("git", "-C", path, "rebase", "--onto", target, begun, result),
      command("git", "-C", path, "switch", target),
      mergeCommand(path, result, { fastForwardOnly: true })
    ].join(" && ")
  )
