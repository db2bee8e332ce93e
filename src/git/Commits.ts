/** What is in a worktree and not committed, and all of it as one commit on its branch. */
import { Effect } from "effect"
import * as CommitObject from "./CommitObject.js"
import * as ContentFilters from "./ContentFilters.js"
import * as Fingerprint from "./Fingerprint.js"
import { HeadMoved } from "./GitError.js"
import * as History from "./History.js"
import * as ProtectedFiles from "./ProtectedFiles.js"
import { ObjectId, type RepoPath } from "./RefNames.js"
import * as InjectedFiles from "./InjectedFiles.js"
import * as Refs from "./Refs.js"
import type { Repository } from "./Repository.js"
import * as UnreadableFiles from "./UnreadableFiles.js"
import * as WorkingFiles from "./WorkingFiles.js"
import type { Worktree } from "./Worktrees.js"

export interface Status {
  readonly commit: ObjectId
  /** The files that differ from the commit, are new or are gone, but for ignored ones. */
  readonly changed: ReadonlyArray<string>
}

/** Where the worktree stands, and what is in it that is not committed. */
export const status = (repository: Repository, worktree: Worktree) =>
  Effect.gen(function* () {
    const commit = yield* WorkingFiles.stand(repository, worktree)
    const lines = yield* WorkingFiles.over(repository, worktree, commit, (_, lines) => Effect.succeed(lines), [
      "--modified",
      "--deleted"
    ])
    // What is in the index is listed once more, as such.
    const names = lines.filter(({ letter }) => letter !== "H").map(({ path }) => path)
    const status: Status = { commit, changed: [...new Set(names)].toSorted() }
    return status
  })

export interface CommitOptions extends CommitObject.Subject {
  /** A commit that the branch must still contain: where it was when the work began. */
  readonly since?: ObjectId
  /**
   * Called when the commit exists and the branch does not lead to it yet. What it writes down tells our commits from
   * others that carry the same trailers; when it fails, the branch stays where it is.
   */
  readonly before?: (commit: ObjectId) => Effect.Effect<void>
  /** Files that are to have this content, in the commit and in the worktree, whatever the worktree has there. */
  readonly put?: InjectedFiles.InjectedFiles
  /** Files that are to be as they were at `since`, or at the tip of the branch; one that was not there goes. */
  readonly keep?: ReadonlyArray<RepoPath>
}

export interface Committed {
  readonly commit: ObjectId
  /** The files of `put` and `keep` at which something else was found than should be there. */
  readonly replaced: ReadonlyArray<RepoPath>
  /** The files that differ since the work began, sorted. */
  readonly changed: ReadonlyArray<string>
  /** Said when nothing was changed since the work began, beside the files of `put`. */
  readonly isEmpty?: boolean
}

/**
 * Commits all that is in the worktree but ignored files, whatever of it was staged; when nothing has changed, the commit
 * says so by being empty.
 */
export const commit = (repository: Repository, worktree: Worktree, options: CommitOptions) =>
  Effect.gen(function* () {
    const { path } = worktree
    const { before = () => Effect.void, keep = [], put = [], since } = options
    const tip = yield* WorkingFiles.stand(repository, worktree)
    if (since !== undefined && since !== tip && !(yield* History.isAncestor(repository, since, tip)))
      return yield* new HeadMoved({ path, expected: `a commit that contains ${since}`, actual: tip })
    const found = yield* InjectedFiles.examine(path, put)
    return yield* WorkingFiles.over(repository, worktree, tip, (git, entries) =>
      Effect.gen(function* () {
        const replaced = yield* InjectedFiles.replaced(repository, git, found)
        const others = keep.filter((kept) => !put.some(({ path }) => path === kept))
        const { differing, kept, warnings } = yield* ProtectedFiles.enter(git, ["add", "--all"], since ?? tip, others)
        const all = entries.map((entry) => entry.path)
        yield* UnreadableFiles.refuse(path, warnings).pipe(
          Effect.zipRight(ContentFilters.refuse(repository, git, ContentFilters.affected(differing, all))),
          // What was planted in the repository is the cause then, and the files are not.
          Effect.tapError(() => Fingerprint.verify(repository.topLevel, repository, repository.fingerprint))
        )
        yield* InjectedFiles.enter(repository, git, entries, put)
        const { stdout } = yield* git.run(["write-tree"])
        const tree = yield* Refs.decode(ObjectId, stdout.toString().trim())
        const commit = yield* CommitObject.write(repository, git, { tree, parents: [tip], subject: options })
        yield* WorkingFiles.move(repository, worktree, {
          index: git.index,
          from: tip,
          to: commit,
          before: before(commit),
          files: Effect.zipRight(ProtectedFiles.lay(git, path, kept), InjectedFiles.lay(git, path, put))
        })
        const committed: Committed = {
          commit,
          replaced: [...replaced, ...kept.map(({ path }) => path)],
          changed: [...differing].toSorted(),
          isEmpty: [...differing].every((changed) => put.some(({ path }) => path === changed))
        }
        return committed
      })
    )
  })
