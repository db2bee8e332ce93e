/** Fast-forwards the worktree of a unit to a merge of its work with other units' work. */
import { Effect } from "effect"
import * as ContentFilters from "./ContentFilters.js"
import * as fs from "./fs.js"
import { BranchMoved, NotFastForward } from "./GitError.js"
import * as History from "./History.js"
import type { ObjectId } from "./RefNames.js"
import type { Repository } from "./Repository.js"
import * as WorkingFiles from "./WorkingFiles.js"
import type { Worktree } from "./Worktrees.js"

export interface ForwardOptions {
  readonly from: ObjectId
  readonly to: ObjectId
}

/**
 * Moves a worktree and its branch from a commit to a descendant. Uncommitted changes are by-products: changed or deleted files of
 * the commit, and anything in the way of a file, are replaced. Other uncommitted files, such as ignored ones, stay. If the branch
 * was moved already, only the files are updated.
 */
export const forward = (repository: Repository, worktree: Worktree, { from, to }: ForwardOptions) =>
  Effect.gen(function* () {
    const { branch, path } = worktree
    const tip = yield* WorkingFiles.stand(repository, worktree)
    if (tip !== from && tip !== to) return yield* new BranchMoved({ branch, expected: from, actual: tip })
    if (!(yield* History.isAncestor(repository, from, to))) return yield* new NotFastForward({ branch, from, to })
    yield* ContentFilters.refuseIn(repository, { tree: to, since: from })
    yield* WorkingFiles.over(repository, worktree, tip, ({ git, since }) =>
      Effect.gen(function* () {
        // Does not rewrite unchanged files, which a build would treat as changed.
        const files = git.run(["read-tree", "--reset", "-u", "--end-of-options", to])
        yield* WorkingFiles.move(repository, worktree, {
          index: git.index,
          since,
          from: tip,
          to,
          before: Effect.void,
          files: Effect.asVoid(fs.unlocking(path, files))
        })
      })
    )
  })
