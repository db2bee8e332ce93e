/** Worktrees that stay with unfinished work: whether they can be continued, and by which branch. */
import { Effect, Option } from "effect"
import { type GitFailed, WorktreeBroken } from "./GitError.js"
import { isolatedGitDir, quoted } from "./IsolatedGitDir.js"
import { type AbsolutePath, fullRef, type ObjectId, type OwnBranch } from "./RefNames.js"
import type { Repository } from "./Repository.js"
import * as SharedClone from "./SharedClone.js"
import { mutate } from "./withRepositoryLock.js"
import * as WorkingFiles from "./WorkingFiles.js"
import * as Worktrees from "./Worktrees.js"

/**
 * The commit of the worktree; fails unless it is on its own branch, at the commit `at` or ahead of it, with no unfinished operation.
 * Reads the commits where they were made: unfinished work does not enter the user's repository.
 */
export const verify = (repository: Repository, worktree: Worktrees.Worktree, at: ObjectId) =>
  Effect.zipRight(Worktrees.verify(repository, worktree), ahead(repository, worktree, at))

const ahead = (repository: Repository, worktree: Worktrees.Worktree, at: ObjectId) =>
  Effect.gen(function* () {
    const { branch, clone, path } = worktree
    const commit = yield* WorkingFiles.examine(worktree)
    if (commit === at) return commit
    const broken = (failure: GitFailed) =>
      failure.exitCode === null
        ? failure
        : new WorktreeBroken({ path, reason: `what was committed there cannot be read: ${failure.detail}` })
    return yield* isolatedGitDir(repository, (git) =>
      Effect.gen(function* () {
        const options = {
          variables: { GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted(`${clone}/objects`) },
          // A process could have written anything to the graph in the clone.
          settings: { "core.commitgraph": "false" }
        }
        const run = (args: ReadonlyArray<string>, answers = [0]) =>
          Effect.mapError(git.run(args, { ...options, answers }), (error) =>
            error._tag === "GitFailed" ? broken(error) : error
          )
        const { code } = yield* run(["merge-base", "--is-ancestor", "--end-of-options", at, commit], [0, 1])
        if (code === 1)
          return yield* new WorktreeBroken({
            path,
            reason: `its branch ${branch} no longer contains its earlier commits`
          })
        yield* run(["rev-list", "--objects", "--quiet", "--end-of-options", commit, `^${at}`])
        return commit
      })
    )
  })

export interface ReopenOptions {
  readonly path: AbsolutePath
  readonly branch: OwnBranch
  readonly at: ObjectId
}

/**
 * The worktree as its last process left it, with all its files; none if there is none, or if its creation was interrupted. Fails
 * like `verify`. No process may run there.
 */
export const reopen = (repository: Repository, { at, branch, path }: ReopenOptions) =>
  Effect.gen(function* () {
    const found = yield* Worktrees.find(repository, path)
    if (Option.isNone(found) || !(yield* Worktrees.isPopulated(found.value))) return Option.none()
    const worktree: Worktrees.Worktree = { ...found.value, branch }
    yield* Worktrees.verify(repository, worktree)
    const wasLocked = yield* SharedClone.unlock(worktree)
    const commit = yield* ahead(repository, worktree, at)
    // The commit of a task may have been interrupted between its branch and its index.
    if (wasLocked && commit === at) yield* resetIndex(repository, worktree, at)
    return Option.some(worktree)
  })

/**
 * Puts a worktree that was created for the branch `from` on the existing branch `branch`, where it has the same commits. No file is
 * touched. Returns whether it is on that branch: not if it is on a third one, so only one branch can adopt it. Fails like `verify`.
 */
export const adopt = (
  repository: Repository,
  { at, branch, from, path }: ReopenOptions & { readonly from: OwnBranch }
) =>
  mutate(repository)(
    Effect.gen(function* () {
      const found = yield* Worktrees.find(repository, path)
      if (Option.isNone(found) || !(yield* Worktrees.isPopulated(found.value))) return false
      const owner = yield* Worktrees.ownerOf(repository, found.value)
      if (Option.contains(owner, branch)) return true
      if (!Option.contains(owner, from)) return false
      yield* Worktrees.verify(repository, { ...found.value, branch: from })
      yield* SharedClone.unlock(found.value)
      // An earlier adoption may have been interrupted.
      const isMoved = Option.contains(yield* SharedClone.head(found.value.clone), fullRef(branch))
      const commit = yield* ahead(repository, { ...found.value, branch: isMoved ? branch : from }, at)
      yield* Effect.uninterruptible(Worktrees.rename({ ...found.value, branch }, commit))
      return true
    })
  )

const resetIndex = (repository: Repository, { clone }: Worktrees.Worktree, at: ObjectId) =>
  isolatedGitDir(repository, (git) =>
    Effect.zipRight(
      git.run(["read-tree", "--end-of-options", at]),
      WorkingFiles.withIndex(clone, { index: git.index, files: Effect.void, branch: Effect.void })
    )
  )
