/** The uncommitted changes of a worktree, and committing all of them on its branch. */
import { Effect } from "effect"
import * as CommitObject from "./CommitObject.js"
import * as ContentFilters from "./ContentFilters.js"
import * as Files from "./Files.js"
import * as Fingerprint from "./Fingerprint.js"
import { HeadMoved, MarkersLeft } from "./GitError.js"
import * as History from "./History.js"
import * as Merge from "./Merge.js"
import * as ProtectedFiles from "./ProtectedFiles.js"
import { ObjectId, type RepoPath } from "./RefNames.js"
import * as InjectedFiles from "./InjectedFiles.js"
import * as Refs from "./Refs.js"
import type { Repository } from "./Repository.js"
import * as UnreadableFiles from "./UnreadableFiles.js"
import * as WorkingFiles from "./WorkingFiles.js"
import * as Worktrees from "./Worktrees.js"

type Worktree = Worktrees.Worktree

export interface Changes {
  /** The files that were changed, added or deleted since the commit, except ignored ones. */
  readonly changed: ReadonlyArray<string>
  /** The ignored files; a directory that is ignored as a whole is one of them, with a slash at its end. */
  readonly ignored: ReadonlyArray<string>
}

export interface Status extends Changes {
  readonly commit: ObjectId
}

const changesSince = (repository: Repository, worktree: Worktree, commit: ObjectId) =>
  WorkingFiles.over(repository, worktree, commit, (files) => {
    const changes: Changes = { changed: WorkingFiles.changed(files), ignored: files.ignored }
    return Effect.succeed(changes)
  })

/** The changes of a worktree since a commit of the repository. What was committed there since does not enter the repository. */
export const compare = (repository: Repository, worktree: Worktree, commit: ObjectId) =>
  Effect.zipRight(Worktrees.verify(repository, worktree), changesSince(repository, worktree, commit))

/** The commit of a worktree, which enters the repository, and its uncommitted changes. */
export const status = (repository: Repository, worktree: Worktree) =>
  Effect.gen(function* () {
    const commit = yield* WorkingFiles.stand(repository, worktree)
    const status: Status = { commit, ...(yield* changesSince(repository, worktree, commit)) }
    return status
  })

export interface CommitOptions extends CommitObject.Subject {
  /** The commit at which the work started; the branch must still contain it. */
  readonly since?: ObjectId
  /**
   * Called once the commit exists, before the branch moves to it. Recording the commit here distinguishes it from others with the
   * same trailers; if this fails, the branch does not move.
   */
  readonly before?: (committed: Committed) => Effect.Effect<void>
  /** Files that get this content in the commit and in the worktree, regardless of the worktree's content. */
  readonly put?: InjectedFiles.InjectedFiles
  /** Files that are reset to `since`, or to the tip of the branch; files that did not exist there are removed. */
  readonly keep?: ReadonlyArray<RepoPath>
  /** The merge that the files resolve: the commit gets its parents, and fails with markers left in these files. */
  readonly resolves?: { readonly parents: ReadonlyArray<ObjectId>; readonly files: ReadonlyArray<RepoPath> }
}

export interface Committed {
  readonly commit: ObjectId
  /** The files of `put` and `keep` whose content was not as expected. */
  readonly replaced: ReadonlyArray<RepoPath>
  /** The files that were changed since the work started, sorted. */
  readonly changed: ReadonlyArray<string>
  /** Whether nothing but the files of `put` was changed since the work started. */
  readonly isEmpty?: boolean
  /** The ignored files, which are not in the commit, as in `Status`. */
  readonly ignored?: ReadonlyArray<string>
}

const ignoresCase = ({ settings }: Repository): boolean => settings["core.ignorecase"] === "true"

/** Enters the changed files into the index; returns git's warnings. */
export const enterChanges = (repository: Repository, files: WorkingFiles.Files, tip: ObjectId) =>
  Effect.gen(function* () {
    const { deleted, git, warnings, written } = files
    // Only `git add` finds the name in the index of a directory whose case was changed.
    if (ignoresCase(repository)) return (yield* git.run(["add", "--all"])).stderr
    // By name alone, since a path that leads through a link now is refused otherwise.
    const gone = deleted.map((path) => Files.removal(tip, path)).join("")
    if (gone !== "") yield* git.run(["update-index", "-z", "--index-info"], { input: gone })
    if (written.length === 0) return warnings
    const input = written.map((path) => `${path}\0`).join("")
    const { stderr } = yield* git.run(["update-index", "--add", "--remove", "-z", "--stdin"], { input })
    return `${warnings}\n${stderr}`
  })

/**
 * Commits all files of the worktree except ignored ones, whether staged or not. If nothing was changed, the commit is empty.
 */
export const commit = (repository: Repository, worktree: Worktree, options: CommitOptions) =>
  Effect.gen(function* () {
    const { path } = worktree
    const { before = () => Effect.void, keep = [], put = [], resolves, since } = options
    const tip = yield* WorkingFiles.stand(repository, worktree)
    if (since !== undefined && since !== tip && !(yield* History.isAncestor(repository, since, tip)))
      return yield* new HeadMoved({ path, expected: `a commit that contains ${since}`, actual: tip })
    const found = yield* InjectedFiles.examine(path, put)
    return yield* WorkingFiles.over(repository, worktree, tip, (files) =>
      Effect.gen(function* () {
        const { git, ignored } = files
        const replaced = yield* InjectedFiles.replaced(repository, git, found)
        const isPut = (changed: string) => put.some(({ path }) => path === changed)
        const warnings = yield* enterChanges(repository, files, tip)
        // Processes may have committed changes as well.
        const isAll = (since === undefined || since === tip) && !ignoresCase(repository)
        const changed = isAll ? WorkingFiles.changed(files) : yield* ProtectedFiles.differing(git, since ?? tip)
        const differing = new Set(changed)
        const kept = yield* ProtectedFiles.reset(
          git,
          since ?? tip,
          keep.filter((path) => !isPut(path) && differing.has(path))
        )
        yield* UnreadableFiles.refuse(path, warnings).pipe(
          Effect.zipRight(ContentFilters.refuse(repository, git, changed)),
          // If the repository was tampered with, report that as the cause.
          Effect.tapError(() => Fingerprint.verify(repository.topLevel, repository, repository.fingerprint))
        )
        yield* InjectedFiles.enter(repository, git, tip, put)
        const { stdout } = yield* git.run(["write-tree"])
        const tree = yield* Refs.decode(ObjectId, stdout.toString().trim())
        if (resolves !== undefined) {
          const files = yield* Merge.marked(git, { tree, ...resolves })
          if (files.length > 0) return yield* new MarkersLeft({ files })
        }
        const parents = resolves?.parents ?? [tip]
        const commit = yield* CommitObject.write(repository, git, { tree, parents, subject: options })
        const committed: Committed = {
          commit,
          replaced: [...replaced, ...kept.map(({ path }) => path)],
          changed: changed.toSorted(),
          isEmpty: changed.every(isPut),
          ignored
        }
        yield* WorkingFiles.move(repository, worktree, {
          index: git.index,
          since: files.since,
          from: tip,
          to: commit,
          before: before(committed),
          files: Effect.zipRight(ProtectedFiles.lay(git, path, kept), InjectedFiles.lay(git, path, put))
        })
        return committed
      })
    )
  })
