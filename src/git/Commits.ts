/** The uncommitted changes of a worktree, and committing all of them on its branch. */
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
  /** The files that were changed, added or deleted since the commit, except ignored ones. */
  readonly changed: ReadonlyArray<string>
}

/** The commit of a worktree and its uncommitted changes. */
export const status = (repository: Repository, worktree: Worktree) =>
  Effect.gen(function* () {
    const commit = yield* WorkingFiles.stand(repository, worktree)
    const lines = yield* WorkingFiles.over(repository, worktree, commit, ({ lines }) => Effect.succeed(lines), [
      "--modified",
      "--deleted"
    ])
    // `H` lines list every file of the index, changed or not.
    const names = lines
      .filter((line) => !line.startsWith("H "))
      .flatMap(WorkingFiles.parse)
      .map(({ path }) => path)
    const status: Status = { commit, changed: [...new Set(names)].toSorted() }
    return status
  })

export interface CommitOptions extends CommitObject.Subject {
  /** The commit at which the work started; the branch must still contain it. */
  readonly since?: ObjectId
  /**
   * Called once the commit exists, before the branch moves to it. Recording the commit here distinguishes it from others with the
   * same trailers; if this fails, the branch does not move.
   */
  readonly before?: (commit: ObjectId) => Effect.Effect<void>
  /** Files that get this content in the commit and in the worktree, regardless of the worktree's content. */
  readonly put?: InjectedFiles.InjectedFiles
  /** Files that are reset to `since`, or to the tip of the branch; files that did not exist there are removed. */
  readonly keep?: ReadonlyArray<RepoPath>
}

export interface Committed {
  readonly commit: ObjectId
  /** The files of `put` and `keep` whose content was not as expected. */
  readonly replaced: ReadonlyArray<RepoPath>
  /** The files that were changed since the work started, sorted. */
  readonly changed: ReadonlyArray<string>
  /** Whether nothing but the files of `put` was changed since the work started. */
  readonly isEmpty?: boolean
}

/**
 * Commits all files of the worktree except ignored ones, whether staged or not. If nothing was changed, the commit is empty.
 */
export const commit = (repository: Repository, worktree: Worktree, options: CommitOptions) =>
  Effect.gen(function* () {
    const { path } = worktree
    const { before = () => Effect.void, keep = [], put = [], since } = options
    const tip = yield* WorkingFiles.stand(repository, worktree)
    if (since !== undefined && since !== tip && !(yield* History.isAncestor(repository, since, tip)))
      return yield* new HeadMoved({ path, expected: `a commit that contains ${since}`, actual: tip })
    const found = yield* InjectedFiles.examine(path, put)
    return yield* WorkingFiles.over(repository, worktree, tip, ({ git, lines, since: lookedAt }) =>
      Effect.gen(function* () {
        const replaced = yield* InjectedFiles.replaced(repository, git, found)
        const others = keep.filter((kept) => !put.some(({ path }) => path === kept))
        const { differing, kept, warnings } = yield* ProtectedFiles.enter(git, ["add", "--all"], since ?? tip, others)
        const all = () => lines.flatMap(WorkingFiles.parse).map((entry) => entry.path)
        yield* UnreadableFiles.refuse(path, warnings).pipe(
          Effect.zipRight(ContentFilters.refuse(repository, git, ContentFilters.affected(differing, all))),
          // If the repository was tampered with, report that as the cause.
          Effect.tapError(() => Fingerprint.verify(repository.topLevel, repository, repository.fingerprint))
        )
        const putLines = lines.filter((line) => put.some(({ path }) => line.endsWith(`\t${path}`)))
        yield* InjectedFiles.enter(repository, git, putLines.flatMap(WorkingFiles.parse), put)
        const { stdout } = yield* git.run(["write-tree"])
        const tree = yield* Refs.decode(ObjectId, stdout.toString().trim())
        const commit = yield* CommitObject.write(repository, git, { tree, parents: [tip], subject: options })
        yield* WorkingFiles.move(repository, worktree, {
          index: git.index,
          since: lookedAt,
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
