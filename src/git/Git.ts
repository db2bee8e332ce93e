/**
 * The git operations that jobs need, on the git command line. Each is safe against anything that a process in a worktree may have
 * planted in the repository, and none can lose the user's work.
 */
import { Context, Effect, Layer, type Option } from "effect"
import * as Checkouts from "./Checkouts.js"
import * as Commits from "./Commits.js"
import * as Diff from "./Diff.js"
import * as Files from "./Files.js"
import type { Fingerprint } from "./Fingerprint.js"
import * as fastForwardWorktree from "./fastForwardWorktree.js"
import * as GitCommand from "./GitCommand.js"
import type { GitError } from "./GitError.js"
import * as History from "./History.js"
import * as advanceBranch from "./advanceBranch.js"
import * as KeptFiles from "./KeptFiles.js"
import * as KeptWorktrees from "./KeptWorktrees.js"
import * as Merge from "./Merge.js"
import { tracedAsEvent } from "../internal/Tracing.js"
import { makeMutexes, Mutexes } from "./withRepositoryLock.js"
import type { AbsolutePath, BranchName, ObjectId, OwnBranch, RepoPath } from "./RefNames.js"
import * as preflight from "./preflight.js"
import * as Refs from "./Refs.js"
import * as Remote from "./Remote.js"
import * as Repository from "./Repository.js"
import * as restoreProtected from "./restoreProtected.js"
import * as SharedClone from "./SharedClone.js"
import * as Snapshot from "./Snapshot.js"
import * as SnapshotPack from "./SnapshotPack.js"
import { StatCaches } from "./StatCache.js"
import { unwritable } from "./unwritable.js"
import * as UserRefs from "./UserRefs.js"
import * as Worktrees from "./Worktrees.js"

/**
 * Git operations on the repositories of jobs.
 *
 * @since 0.1.0
 * @category tags
 */
export class Git extends Context.Tag("charlotte/Git")<Git, Service>() {}

type Repo = Repository.Repository
type Result<A> = Effect.Effect<A, GitError>

/**
 * The operations of `Git`. Each fails with a `GitError` that carries the reason and the output of git.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The version of git; fails if git is missing or too old. */
  readonly version: Result<string>

  /**
   * Opens the repository of a path: its top level, a directory in it, a symbolic link, a linked worktree. All of them have the same
   * `identity`. With the `fingerprint` of an earlier `open`, it fails if the repository has been replaced since. Reads identity and
   * settings once.
   */
  readonly open: (path: string, options?: { readonly fingerprint?: Fingerprint }) => Result<Repo>

  /** Returns the identity of a repository, which is written into its git directory the first time. */
  readonly identify: (repository: Repo) => Result<string>

  /** All problems that prevent a job on the branch, by default the checked-out branch. */
  readonly problems: (repository: Repo, target?: BranchName, options?: preflight.Options) => Result<preflight.Problems>

  /** The HEAD of the checkout through which the repository was opened. */
  readonly head: (repository: Repo) => Result<Refs.Head>

  /** The commit of a branch. */
  readonly resolve: (repository: Repo, branch: BranchName) => Result<ObjectId>

  /** Why the repository cannot be written, as a clause; none if it can. */
  readonly unwritable: (repository: Repo) => Result<Option.Option<string>>

  /** The directories in which a branch is checked out: at most one, unless the user has forced more. */
  readonly checkouts: (repository: Repo, branch: BranchName) => Result<ReadonlyArray<string>>

  /** The branches of all jobs. */
  readonly ownBranches: (
    repository: Repo
  ) => Result<ReadonlyArray<{ readonly branch: OwnBranch; readonly commit: ObjectId }>>

  /** All branches; `own` marks the branches of jobs. */
  readonly branches: (
    repository: Repo
  ) => Result<
    ReadonlyArray<{ readonly branch: string; readonly commit: ObjectId; readonly own: Option.Option<OwnBranch> }>
  >

  /** Creates a branch; fails if it exists. */
  readonly createBranch: (repository: Repo, branch: OwnBranch, at: ObjectId) => Result<void>

  /**
   * Sets the branch of a job to a commit, or creates it; returns whether it changed. Refuses a branch that is checked out in a
   * checkout of the user. A worktree of a job on the branch is not updated: create it again.
   */
  readonly restore: (repository: Repo, branch: OwnBranch, at: ObjectId) => Result<boolean>

  /**
   * Deletes the branch of a job if it exists. Refuses a branch that is checked out or is not at the expected commit.
   */
  readonly deleteBranch: (repository: Repo, branch: OwnBranch, expected?: ObjectId) => Result<void>

  /**
   * Fast-forwards a branch if it is still at the expected commit: the ref alone, or, if it is checked out, together with the files,
   * unless that would overwrite uncommitted work. Uninterruptible.
   */
  readonly advance: (
    repository: Repo,
    branch: BranchName,
    options: advanceBranch.AdvanceOptions
  ) => Result<advanceBranch.Advanced>

  /** Creates a worktree outside the repository, on a new branch at the commit `from`, or without it on an existing branch. */
  readonly addWorktree: (repository: Repo, options: Worktrees.AddOptions) => Result<Worktrees.Worktree>

  /**
   * The worktree of a unit as its last process left it, with all its files, after the removal of abandoned locks in its git
   * directories. None if there is none, or if its creation was interrupted. Fails like `verifyWorktree`. No process may run there.
   */
  readonly reopenWorktree: (
    repository: Repo,
    options: KeptWorktrees.ReopenOptions
  ) => Result<Option.Option<Worktrees.Worktree>>

  /**
   * Puts the worktree of a branch `from` on another branch, with its files and commits; no file is touched. Returns whether it is
   * there: a worktree is adopted by one branch only. Fails like `verifyWorktree`. No process may run there.
   */
  readonly adoptWorktree: (
    repository: Repo,
    options: KeptWorktrees.ReopenOptions & { readonly from: OwnBranch }
  ) => Result<boolean>

  /**
   * The commit of a worktree; fails unless it is on its own branch, at the commit `at` or ahead of it, with no unfinished operation.
   * Copies nothing to the user's repository.
   */
  readonly verifyWorktree: (repository: Repo, worktree: Worktrees.Worktree, at: ObjectId) => Result<ObjectId>

  /** The worktrees of all jobs. */
  readonly worktrees: (repository: Repo) => Result<ReadonlyArray<Worktrees.Worktree>>

  /** Removes the worktree of a job with all its files, if it exists. */
  readonly removeWorktree: (repository: Repo, path: AbsolutePath) => Result<void>

  /**
   * Restores the user's branches and tags that processes of a worktree moved or deleted in its clone, and returns them. No process
   * may run there.
   */
  readonly putBack: (repository: Repo, worktree: Worktrees.Worktree) => Result<ReadonlyArray<SharedClone.Move>>

  /** The user's branches, tags and stash. */
  readonly userRefs: (repository: Repo) => Result<UserRefs.Values>

  /** The user's refs that changed while a command ran, if its git trace shows that it may have changed them. */
  readonly movedUserRefs: (
    repository: Repo,
    before: UserRefs.Values,
    trace: string
  ) => Result<ReadonlyArray<SharedClone.Move>>

  /** The files of a worktree that differ from a commit of the repository, and the ignored files. No commit enters the repository. */
  readonly compare: (repository: Repo, worktree: Worktrees.Worktree, commit: ObjectId) => Result<Commits.Changes>

  /** The HEAD of a worktree, which enters the repository, the files that differ from it, and the ignored files. */
  readonly status: (repository: Repo, worktree: Worktrees.Worktree) => Result<Commits.Status>

  /** The files of a worktree as they are, to put them back, and whether they differ from a commit. */
  readonly keepFiles: (repository: Repo, worktree: Worktrees.Worktree, commit: ObjectId) => Result<KeptFiles.KeptFiles>

  /**
   * Puts the branch and the files of a worktree back, and removes files that have been added since. Ignored files that were there stay
   * as they are now. No process may run there.
   */
  readonly putFilesBack: (
    repository: Repo,
    worktree: Worktrees.Worktree,
    kept: Pick<KeptFiles.KeptFiles, "commit" | "tree" | "ignored">
  ) => Result<void>

  /**
   * Puts protected files of a worktree back to what they were at a commit, and keeps what was changed as a patch. What is committed
   * there stays as it is. No process may run there.
   */
  readonly restoreProtected: (
    repository: Repo,
    worktree: Worktrees.Worktree,
    options: restoreProtected.Options
  ) => Result<restoreProtected.Restored>

  /**
   * Commits all files of a worktree on its branch, except ignored ones. In commit and worktree, files of `put` get their
   * specified content and files of `keep` their previous content; returns the files whose content differed.
   */
  readonly commit: (
    repository: Repo,
    worktree: Worktrees.Worktree,
    options: Commits.CommitOptions
  ) => Result<Commits.Committed>

  /**
   * Fast-forwards a worktree with its branch. Uncommitted changes are lost; files that are not in the commit, such as ignored ones,
   * stay.
   */
  readonly forward: (
    repository: Repo,
    worktree: Worktrees.Worktree,
    options: fastForwardWorktree.ForwardOptions
  ) => Result<void>

  /** The tasks that were done in the commits of `to` that `from` does not contain, by their trailers, oldest first. */
  readonly doneTasks: (
    repository: Repo,
    range: { readonly from: ObjectId; readonly to: ObjectId }
  ) => Result<ReadonlyArray<History.DoneTask>>

  /** Whether the later commit contains the earlier one; each contains itself. */
  readonly isAncestor: (repository: Repo, earlier: ObjectId, later: ObjectId) => Result<boolean>

  /** Whether the commit exists; an unreachable one may have been garbage-collected. */
  readonly contains: (repository: Repo, commit: ObjectId) => Result<boolean>

  /** The first parent of a commit. */
  readonly parent: (repository: Repo, commit: ObjectId) => Result<ObjectId>

  /** Number of commits in `to` that are not in `from`. */
  readonly commits: (repository: Repo, range: { readonly from: ObjectId; readonly to: ObjectId }) => Result<number>

  /** Number of commits in `to` that are not in `from` and have no signature; 0 if the user does not sign. */
  readonly unsigned: (repository: Repo, range: { readonly from: ObjectId; readonly to: ObjectId }) => Result<number>

  /** Number of commits reachable from `commit` and from none of the others. */
  readonly unheld: (repository: Repo, commit: ObjectId, others: ReadonlyArray<ObjectId>) => Result<number>

  /** Merges two commits without a checkout; no branch moves. */
  readonly merge: (repository: Repo, options: Merge.MergeOptions) => Result<Merge.MergeResult>

  /** The files that both commits have changed since they diverged. */
  readonly overlap: (
    repository: Repo,
    commits: { readonly ours: ObjectId; readonly theirs: ObjectId }
  ) => Result<ReadonlyArray<string>>

  /**
   * Pushes a commit to a remote repository as a branch of a job, with the user's own means to reach it; overwrites nothing there.
   */
  readonly push: (repository: Repo, options: Remote.Push) => Result<void>

  /** The files that differ between two commits, in the order of their paths, in pages of about 4 MiB of JSON. */
  readonly diff: (repository: Repo, options: Diff.Options) => Result<Diff.Page>

  /**
   * Writes a snapshot of the unfinished work in a worktree to a pack outside the repository, which gets no object and no ref. What
   * cannot be saved is left out.
   */
  readonly takeSnapshot: (repository: Repo, options: Snapshot.Options) => Result<Snapshot.Snapshot>

  /** The files that differ between a snapshot and its base, in pages. */
  readonly diffSnapshot: (
    repository: Repo,
    options: SnapshotPack.SnapshotPack & { readonly from?: number }
  ) => Result<Diff.Page>

  /** What differs between a snapshot and its base, as a patch that `git apply` reads. */
  readonly snapshotPatch: (repository: Repo, snapshot: SnapshotPack.SnapshotPack) => Result<Uint8Array>

  /** The files and directories at these paths in a commit; nothing for a path that it does not have. */
  readonly entriesAt: (
    repository: Repo,
    commit: ObjectId,
    paths: ReadonlyArray<RepoPath>
  ) => Result<ReadonlyArray<Files.TreeEntry>>

  /** The content of a file at a commit; none if it is not a regular file. */
  readonly readFile: (repository: Repo, commit: ObjectId, path: RepoPath) => Result<Files.Content>

  /** The files that differ between the user's checkout and the commit. */
  readonly differing: (
    repository: Repo,
    commit: ObjectId,
    paths: ReadonlyArray<RepoPath>
  ) => Result<ReadonlyArray<RepoPath>>

  /** The paths that are ignored in the user's checkout. */
  readonly ignored: (repository: Repo, paths: ReadonlyArray<RepoPath>) => Result<ReadonlyArray<RepoPath>>
}

/**
 * Git as installed on this machine.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service> = Effect.gen(function* () {
  const command = yield* GitCommand.make
  const context = Context.make(GitCommand.GitCommand, command).pipe(
    Context.add(Mutexes, yield* makeMutexes),
    Context.add(StatCaches, new Map())
  )

  /** Adds an event to the span around an operation, and provides its services. */
  const method = <Args extends ReadonlyArray<unknown>, A>(
    name: string,
    operation: (...args: Args) => Effect.Effect<A, GitError, GitCommand.GitCommand | Mutexes | StatCaches>
  ) => {
    const traced = tracedAsEvent(`git.${name}`)
    return (...args: Args) => traced(Effect.provide(operation(...args), context))
  }

  return {
    version: command.version,
    open: method("open", Repository.open),
    identify: method("identify", Repository.identify),
    problems: method("problems", preflight.find),
    head: method("head", Refs.head),
    resolve: method("resolve", Refs.resolve),
    unwritable: method("unwritable", unwritable),
    checkouts: method("checkouts", Checkouts.paths),
    ownBranches: method("ownBranches", Refs.own),
    branches: method("branches", Refs.all),
    createBranch: method("createBranch", Refs.create),
    restore: method("restore", Refs.restore),
    deleteBranch: method("deleteBranch", Refs.remove),
    advance: method("advance", advanceBranch.advance),
    addWorktree: method("addWorktree", Worktrees.add),
    reopenWorktree: method("reopenWorktree", KeptWorktrees.reopen),
    adoptWorktree: method("adoptWorktree", KeptWorktrees.adopt),
    verifyWorktree: method("verifyWorktree", KeptWorktrees.verify),
    worktrees: method("worktrees", Worktrees.list),
    removeWorktree: method("removeWorktree", Worktrees.remove),
    putBack: method("putBack", SharedClone.putBack),
    userRefs: method("userRefs", UserRefs.read),
    movedUserRefs: method("movedUserRefs", UserRefs.movedSince),
    compare: method("compare", Commits.compare),
    status: method("status", Commits.status),
    keepFiles: method("keepFiles", KeptFiles.keep),
    putFilesBack: method("putFilesBack", KeptFiles.putBack),
    restoreProtected: method("restoreProtected", restoreProtected.restore),
    commit: method("commit", Commits.commit),
    forward: method("forward", fastForwardWorktree.forward),
    doneTasks: method("doneTasks", History.doneTasks),
    isAncestor: method("isAncestor", History.isAncestor),
    contains: method("contains", History.contains),
    parent: method("parent", History.parent),
    commits: method("commits", History.commits),
    unheld: method("unheld", History.unheld),
    unsigned: method("unsigned", History.unsigned),
    merge: method("merge", Merge.merge),
    overlap: method("overlap", Merge.overlap),
    push: method("push", Remote.push),
    diff: method("diff", Diff.diff),
    takeSnapshot: method("takeSnapshot", Snapshot.take),
    diffSnapshot: method("diffSnapshot", SnapshotPack.diff),
    snapshotPatch: method("snapshotPatch", SnapshotPack.patch),
    entriesAt: method("entriesAt", Files.entriesAt),
    readFile: method("readFile", Files.read),
    differing: method("differing", Files.differing),
    ignored: method("ignored", Files.ignored)
  }
})

/**
 * Git as installed on this machine; `GitEnvironmentRef` replaces its environment.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Git> = Layer.effect(Git, make)
