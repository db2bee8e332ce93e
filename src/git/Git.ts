/**
 * Git, as far as a job needs it: a small set of operations on the git command line, each safe against what a process in
 * a worktree may have left in the repository, and none that could lose anything of the user's.
 */
import { Context, Effect, Layer, type Option } from "effect"
import * as Checkouts from "./Checkouts.js"
import * as Commits from "./Commits.js"
import * as Files from "./Files.js"
import type { Fingerprint } from "./Fingerprint.js"
import * as fastForwardWorktree from "./fastForwardWorktree.js"
import * as GitCommand from "./GitCommand.js"
import type { GitError } from "./GitError.js"
import * as History from "./History.js"
import * as advanceBranch from "./advanceBranch.js"
import * as Merge from "./Merge.js"
import { makeMutexes, Mutexes } from "./withRepositoryLock.js"
import type { AbsolutePath, BranchName, ObjectId, OwnBranch, RepoPath } from "./RefNames.js"
import * as preflight from "./preflight.js"
import * as Refs from "./Refs.js"
import * as Repository from "./Repository.js"
import * as SharedClone from "./SharedClone.js"
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
type Answer<A> = Effect.Effect<A, GitError>

/**
 * The operations of `Git`. Each fails with a `GitError` that carries the reason and the output of git.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The version of git; fails when there is none, or an old one. */
  readonly version: Answer<string>

  /**
   * Opens the repository that a path leads to: its top level or a directory in it, a symbolic link, a linked worktree.
   * All of them give one `identity`. The `fingerprint` of what it gives is to be kept with the job; given again when the
   * job goes on, it makes sure that the repository was not changed since. Identity and settings are read here, once.
   */
  readonly open: (path: string, options?: { readonly fingerprint?: Fingerprint }) => Answer<Repo>

  /** All that would be in the way of a job for that branch, or for the one that is checked out. */
  readonly problems: (
    repository: Repo,
    target?: BranchName,
    options?: preflight.Options
  ) => Answer<ReadonlyArray<preflight.RepositoryProblem>>

  /** What is checked out in the checkout through which the repository was opened. */
  readonly head: (repository: Repo) => Answer<Refs.Head>

  /** The commit at which a branch is. */
  readonly resolve: (repository: Repo, branch: BranchName) => Answer<ObjectId>

  /** The directories in which a branch is checked out; one, but for a user who has asked for more. */
  readonly checkouts: (repository: Repo, branch: BranchName) => Answer<ReadonlyArray<string>>

  /** The branches that were made here, of all jobs. */
  readonly ownBranches: (
    repository: Repo
  ) => Answer<ReadonlyArray<{ readonly branch: OwnBranch; readonly commit: ObjectId }>>

  /** All branches, the user's as well; `own` of those that were made here. */
  readonly branches: (
    repository: Repo
  ) => Answer<
    ReadonlyArray<{ readonly branch: string; readonly commit: ObjectId; readonly own: Option.Option<OwnBranch> }>
  >

  /** Makes a branch that is not there yet. */
  readonly createBranch: (repository: Repo, branch: OwnBranch, at: ObjectId) => Answer<void>

  /**
   * Sets a branch of ours to a commit wherever it is now, or makes it; answers whether it had to. Refuses one that is
   * checked out where it was not made here. A worktree of ours that stands on it does not come along: make it again.
   */
  readonly restore: (repository: Repo, branch: OwnBranch, at: ObjectId) => Answer<boolean>

  /**
   * Removes a branch that was made here; refuses one that is checked out, or is not at the commit where it is expected, and is
   * content when there is none.
   */
  readonly deleteBranch: (repository: Repo, branch: OwnBranch, expected?: ObjectId) => Answer<void>

  /**
   * Moves a branch forward, when it still is where it is expected: the ref alone, or, where it is checked out, together
   * with the files there, unless one of them holds uncommitted work. It is not interrupted on the way.
   */
  readonly advance: (
    repository: Repo,
    branch: BranchName,
    options: advanceBranch.AdvanceOptions
  ) => Answer<advanceBranch.Advanced>

  /** Makes a worktree outside the repository, on a new branch at the commit `from`, or without it on one that is there. */
  readonly addWorktree: (
    repository: Repo,
    options: { readonly path: AbsolutePath; readonly branch: OwnBranch; readonly from?: ObjectId }
  ) => Answer<Worktrees.Worktree>

  /** The worktrees that were made here, of all jobs. */
  readonly worktrees: (repository: Repo) => Answer<ReadonlyArray<Worktrees.Worktree>>

  /** Removes a worktree that was made here, with all that is in it; is content when there is none. */
  readonly removeWorktree: (repository: Repo, path: AbsolutePath) => Answer<void>

  /**
   * Sets the user's branches and tags back that were moved or deleted in the clone in which processes of a worktree work, and
   * answers which they are. No process may be at work there.
   */
  readonly putBack: (repository: Repo, worktree: Worktrees.Worktree) => Answer<ReadonlyArray<SharedClone.Move>>

  /** The user's branches, tags and stash. */
  readonly userRefs: (repository: Repo) => Answer<UserRefs.Values>

  /** Those that were moved while a command ran, if a git of it may have moved them, as the file of its trace says. */
  readonly movedUserRefs: (
    repository: Repo,
    before: UserRefs.Values,
    trace: string
  ) => Answer<ReadonlyArray<SharedClone.Move>>

  /** The commit on which a worktree stands, and the files that differ from it. */
  readonly status: (repository: Repo, worktree: Worktrees.Worktree) => Answer<Commits.Status>

  /**
   * Commits all that is in a worktree on its branch, but for ignored files. The files of `put` are in the commit, and in
   * the worktree, with the content that is given, those of `keep` as they were; answers at which of them something else was
   * found than should be there.
   */
  readonly commit: (
    repository: Repo,
    worktree: Worktrees.Worktree,
    options: Commits.CommitOptions
  ) => Answer<Commits.Committed>

  /**
   * Moves the branch of a worktree, and its files, to a commit that contains it. Changes that are not committed are lost;
   * files that the commit has not, such as ignored ones, stay.
   */
  readonly forward: (
    repository: Repo,
    worktree: Worktrees.Worktree,
    options: fastForwardWorktree.ForwardOptions
  ) => Answer<void>

  /** The tasks that were done in the commits of `to` that `from` does not contain, by their trailers, oldest first. */
  readonly doneTasks: (
    repository: Repo,
    range: { readonly from: ObjectId; readonly to: ObjectId }
  ) => Answer<ReadonlyArray<History.DoneTask>>

  /** Whether the later commit contains the earlier one; each contains itself. */
  readonly isAncestor: (repository: Repo, earlier: ObjectId, later: ObjectId) => Answer<boolean>

  /** Whether the repository has such a commit at all; one that no branch leads to may have been cleared away. */
  readonly contains: (repository: Repo, commit: ObjectId) => Answer<boolean>

  /** How many commits `to` contains that `from` does not. */
  readonly commits: (repository: Repo, range: { readonly from: ObjectId; readonly to: ObjectId }) => Answer<number>

  /** How many commits a commit contains, itself among them, that none of the others does. */
  readonly unheld: (repository: Repo, commit: ObjectId, others: ReadonlyArray<ObjectId>) => Answer<number>

  /** Merges two commits into a third, without a checkout; no branch moves. */
  readonly merge: (repository: Repo, options: Merge.MergeOptions) => Answer<Merge.MergeResult>

  /** The content of a file at a commit; none when there is no regular file. */
  readonly readFile: (repository: Repo, commit: ObjectId, path: RepoPath) => Answer<Files.Content>

  /** Those of the files that are not in the user's checkout as they are in the commit. */
  readonly differing: (
    repository: Repo,
    commit: ObjectId,
    paths: ReadonlyArray<RepoPath>
  ) => Answer<ReadonlyArray<RepoPath>>

  /** Those of the paths that the user's checkout leaves out of commits. */
  readonly ignored: (repository: Repo, paths: ReadonlyArray<RepoPath>) => Answer<ReadonlyArray<RepoPath>>
}

/**
 * Git as installed on this machine.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service> = Effect.gen(function* () {
  const command = yield* GitCommand.make
  const context = Context.make(GitCommand.GitCommand, command).pipe(Context.add(Mutexes, yield* makeMutexes))

  /** An operation as a method: with a span of its name, and its needs met. */
  const method = <Args extends ReadonlyArray<unknown>, A>(
    name: string,
    operation: (...args: Args) => Effect.Effect<A, GitError, GitCommand.GitCommand | Mutexes>
  ) => Effect.fn(`Git.${name}`)((...args: Args) => Effect.provide(operation(...args), context))

  return {
    version: command.version,
    open: method("open", Repository.open),
    problems: method("problems", preflight.find),
    head: method("head", Refs.head),
    resolve: method("resolve", Refs.resolve),
    checkouts: method("checkouts", Checkouts.paths),
    ownBranches: method("ownBranches", Refs.own),
    branches: method("branches", Refs.all),
    createBranch: method("createBranch", Refs.create),
    restore: method("restore", Refs.restore),
    deleteBranch: method("deleteBranch", Refs.remove),
    advance: method("advance", advanceBranch.advance),
    addWorktree: method("addWorktree", Worktrees.add),
    worktrees: method("worktrees", Worktrees.list),
    removeWorktree: method("removeWorktree", Worktrees.remove),
    putBack: method("putBack", SharedClone.putBack),
    userRefs: method("userRefs", UserRefs.read),
    movedUserRefs: method("movedUserRefs", UserRefs.movedSince),
    status: method("status", Commits.status),
    commit: method("commit", Commits.commit),
    forward: method("forward", fastForwardWorktree.forward),
    doneTasks: method("doneTasks", History.doneTasks),
    isAncestor: method("isAncestor", History.isAncestor),
    contains: method("contains", History.contains),
    commits: method("commits", History.commits),
    unheld: method("unheld", History.unheld),
    merge: method("merge", Merge.merge),
    readFile: method("readFile", Files.read),
    differing: method("differing", Files.differing),
    ignored: method("ignored", Files.ignored)
  }
})

/**
 * Git on this machine; what it is given of the environment can be replaced by a `GitEnvironmentRef`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Git> = Layer.effect(Git, make)
