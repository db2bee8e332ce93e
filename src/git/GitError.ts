/**
 * Errors of git operations. Each message says what happened, then what to do.
 */
import { Schema } from "effect"
import { command } from "./shellQuote.js"

/** git is not installed. */
export class GitMissing extends Schema.TaggedError<GitMissing>()("GitMissing", { executable: Schema.String }) {
  override get message() {
    return `${this.executable} was not found; install git, or add it to the PATH`
  }
}

/** The installed git is too old. */
export class GitTooOld extends Schema.TaggedError<GitTooOld>()("GitTooOld", {
  version: Schema.String,
  needed: Schema.String
}) {
  override get message() {
    return `git ${this.version} is too old; install git ${this.needed} or newer`
  }
}

/** A git command, or a step of an operation, failed for another reason. */
export class GitFailed extends Schema.TaggedError<GitFailed>()("GitFailed", {
  /** The command without its data, such as `update-ref`. */
  operation: Schema.String,
  exitCode: Schema.NullOr(Schema.Int),
  /** The end of its output, without control characters. */
  detail: Schema.String
}) {
  override get message() {
    const code = this.exitCode === null ? "" : ` (exit code ${this.exitCode})`
    return `git: ${this.operation} failed${code}: ${this.detail}`
  }
}

/** There is no working tree of a git repository at that path. */
export class NotARepository extends Schema.TaggedError<NotARepository>()("NotARepository", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `${this.path} is not the working tree of a git repository: ${this.reason}; give the path of a checkout, or make one with: git init`
  }
}

/** What git could execute or follow in the repository is not what it was when the job was submitted. */
export class RepositoryChanged extends Schema.TaggedError<RepositoryChanged>()("RepositoryChanged", {
  path: Schema.String,
  /** What differs, such as `setting filter.x.clean` or `info/attributes`. */
  changes: Schema.Array(Schema.String)
}) {
  override get message() {
    return `the repository ${this.path} was changed since the job was submitted (${this.changes.join(", ")}); undo the change, or stop the job and retry it to accept it`
  }
}

/** Another process holds a lock of git's. */
export class Locked extends Schema.TaggedError<Locked>()("Locked", {
  file: Schema.String,
  /** Who seems to hold it; empty when no process was found. */
  holders: Schema.Array(Schema.Struct({ pid: Schema.Int, command: Schema.String }))
}) {
  override get message() {
    return this.holders.length === 0
      ? `${this.file} is locked, and no process that holds it could be seen; if no git runs there, delete that file`
      : `${this.file} is locked by ${this.holders.map(({ command, pid }) => `${command} (pid ${pid})`).join(", ")}; let it finish, or end it`
  }
}

export class BranchMissing extends Schema.TaggedError<BranchMissing>()("BranchMissing", { branch: Schema.String }) {
  override get message() {
    return `there is no branch ${this.branch}; name one of those that "git branch" lists`
  }
}

export class BranchExists extends Schema.TaggedError<BranchExists>()("BranchExists", { branch: Schema.String }) {
  override get message() {
    return `the branch ${this.branch} exists already; use it as it is, or delete it with: git branch -D ${this.branch}`
  }
}

/** A branch is checked out where it was not made here, and would be moved under the user. */
export class BranchCheckedOut extends Schema.TaggedError<BranchCheckedOut>()("BranchCheckedOut", {
  branch: Schema.String,
  path: Schema.String
}) {
  override get message() {
    return `the branch ${this.branch} is checked out in ${this.path}; check out another one there, or remove that worktree with: ${command("git", "worktree", "remove", this.path)}`
  }
}

/** To move such a branch would move another one, or cut the tie between the two. */
export class SymbolicBranch extends Schema.TaggedError<SymbolicBranch>()("SymbolicBranch", {
  branch: Schema.String,
  target: Schema.String
}) {
  override get message() {
    return `the branch ${this.branch} is another name for ${this.target}; name that one`
  }
}

/** The branch was moved meanwhile; nothing was changed. */
export class BranchMoved extends Schema.TaggedError<BranchMoved>()("BranchMoved", {
  branch: Schema.String,
  expected: Schema.String,
  /** Where it is now; null when it is gone. */
  actual: Schema.NullOr(Schema.String)
}) {
  override get message() {
    return `the branch ${this.branch} was at ${this.expected} and is now ${this.actual === null ? "gone" : `at ${this.actual}`}; look at it again and go on from there`
  }
}

/** A branch only ever goes forward. */
export class NotFastForward extends Schema.TaggedError<NotFastForward>()("NotFastForward", {
  branch: Schema.String,
  from: Schema.String,
  to: Schema.String
}) {
  override get message() {
    return `${this.to} does not contain ${this.from}, at which the branch ${this.branch} is; merge the two first`
  }
}

/** Where the branch is checked out, something would have been overwritten; nothing was changed. */
export class CheckoutInTheWay extends Schema.TaggedError<CheckoutInTheWay>()("CheckoutInTheWay", {
  path: Schema.String,
  branch: Schema.String,
  /** The files that would have been overwritten, where git named them. */
  files: Schema.Array(Schema.String),
  detail: Schema.String
}) {
  override get message() {
    const what = this.files.length === 0 ? this.detail : `uncommitted work in ${this.files.join(", ")}`
    return `the branch ${this.branch} cannot be advanced in ${this.path}: ${what}; commit or move it away, and try again`
  }
}

/** A merge, rebase or the like is unfinished. */
export class OperationInProgress extends Schema.TaggedError<OperationInProgress>()("OperationInProgress", {
  path: Schema.String,
  operation: Schema.String
}) {
  override get message() {
    return `a ${this.operation} is in progress in ${this.path}; finish it or abort it there`
  }
}

/** A worktree is no longer what was made; nothing was done with it. */
export class WorktreeBroken extends Schema.TaggedError<WorktreeBroken>()("WorktreeBroken", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `the worktree ${this.path} cannot be used: ${this.reason}; remove it and make it again`
  }
}

/** That path cannot become a worktree. */
export class PathTaken extends Schema.TaggedError<PathTaken>()("PathTaken", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `no worktree can be made at ${this.path}: ${this.reason}; remove what is there, or choose another path`
  }
}

/** The worktree stands on another branch than its own, or its branch no longer holds what it held. */
export class HeadMoved extends Schema.TaggedError<HeadMoved>()("HeadMoved", {
  path: Schema.String,
  expected: Schema.String,
  actual: Schema.String
}) {
  override get message() {
    return `HEAD of ${this.path} was moved: expected ${this.expected}, found ${this.actual}; commit on the branch of the worktree, and only add to it`
  }
}

/** A repository within the worktree; to commit it would keep a pointer to it and none of its files. */
export class NestedRepository extends Schema.TaggedError<NestedRepository>()("NestedRepository", {
  path: Schema.String,
  directories: Schema.Array(Schema.String)
}) {
  override get message() {
    return `${this.path} holds repositories of their own in ${this.directories.join(", ")}; delete the .git in each, or ignore them in .gitignore`
  }
}

/** Git passed over what it could not read in a worktree, and would have committed the rest. */
export class FilesUnreadable extends Schema.TaggedError<FilesUnreadable>()("FilesUnreadable", {
  path: Schema.String,
  /** What git said, a line for each file or directory. */
  detail: Schema.String
}) {
  override get message() {
    return `git cannot read all that is in ${this.path}: ${this.detail}; make it readable, or delete it`
  }
}

/** A file asks for a content filter. No program that a configuration names is run, and nothing was changed. */
export class ContentFiltered extends Schema.TaggedError<ContentFiltered>()("ContentFiltered", {
  filter: Schema.String,
  /** Some of the files that ask for it. */
  files: Schema.Array(Schema.String),
  /** The file of attributes that says so. */
  declared: Schema.String,
  /** The file that configures a program for it; null for LFS where it is not installed. */
  configured: Schema.NullOr(Schema.String)
}) {
  override get message() {
    const configured = this.configured === null ? "" : `, and ${this.configured} names its program`
    return `the content filter ${this.filter} is not supported, as no program that a configuration names is run: ${this.declared} asks for it for ${this.files.slice(0, 3).join(", ")}${configured}; take "filter=${this.filter}" out of there, or leave such files out`
  }
}

/** Whose commits are they? */
export class IdentityMissing extends Schema.TaggedError<IdentityMissing>()("IdentityMissing", { path: Schema.String }) {
  override get message() {
    return `git does not know who commits in ${this.path}; set it with: git config --global user.name "Your Name" and git config --global user.email you@example.com`
  }
}

export type GitError =
  | GitMissing
  | GitTooOld
  | GitFailed
  | NotARepository
  | RepositoryChanged
  | Locked
  | BranchMissing
  | BranchExists
  | BranchCheckedOut
  | SymbolicBranch
  | BranchMoved
  | NotFastForward
  | CheckoutInTheWay
  | OperationInProgress
  | WorktreeBroken
  | PathTaken
  | HeadMoved
  | NestedRepository
  | FilesUnreadable
  | ContentFiltered
  | IdentityMissing
