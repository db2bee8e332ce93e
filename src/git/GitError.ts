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

/** Something that git could execute or follow in the repository was changed since the job was submitted. */
export class RepositoryChanged extends Schema.TaggedError<RepositoryChanged>()("RepositoryChanged", {
  path: Schema.String,
  /** What differs, such as `setting filter.x.clean` or `info/attributes`. */
  changes: Schema.Array(Schema.String)
}) {
  override get message() {
    return `the repository ${this.path} was changed since the job was submitted (${this.changes.join(", ")}); undo the change, or stop the job and retry it to accept it`
  }
}

/** Another process holds a git lock. */
export class Locked extends Schema.TaggedError<Locked>()("Locked", {
  file: Schema.String,
  /** The processes that seem to hold it; empty if none was found. */
  holders: Schema.Array(Schema.Struct({ pid: Schema.Int, command: Schema.String }))
}) {
  override get message() {
    return this.holders.length === 0
      ? `${this.file} is locked, and no process that holds it could be seen; if no git runs there, delete that file`
      : `${this.file} is locked by ${this.holders.map(({ command, pid }) => `${command} (pid ${pid})`).join(", ")}; let it finish, or end it`
  }
}

export class BranchMissing extends Schema.TaggedError<BranchMissing>()("BranchMissing", { branch: Schema.String }) {
  /** What is wrong, without what to do. */
  get problem() {
    return `there is no branch ${this.branch}`
  }
  override get message() {
    return `${this.problem}; name one of those that "git branch" lists`
  }
}

export class BranchExists extends Schema.TaggedError<BranchExists>()("BranchExists", { branch: Schema.String }) {
  override get message() {
    return `the branch ${this.branch} exists already; use it as it is, or delete it with: git branch -D ${this.branch}`
  }
}

/** The branch is checked out by the user, and moving it would change that checkout. */
export class BranchCheckedOut extends Schema.TaggedError<BranchCheckedOut>()("BranchCheckedOut", {
  branch: Schema.String,
  path: Schema.String
}) {
  override get message() {
    return `the branch ${this.branch} is checked out in ${this.path}; check out another one there, or remove that worktree with: ${command("git", "worktree", "remove", this.path)}`
  }
}

/** The branch is a symbolic ref: moving it would move its target, or break the link. */
export class SymbolicBranch extends Schema.TaggedError<SymbolicBranch>()("SymbolicBranch", {
  branch: Schema.String,
  target: Schema.String
}) {
  override get message() {
    return `the branch ${this.branch} is another name for ${this.target}; use that name`
  }
}

/** The branch was moved meanwhile; nothing was changed. */
export class BranchMoved extends Schema.TaggedError<BranchMoved>()("BranchMoved", {
  branch: Schema.String,
  expected: Schema.String,
  /** Where it is now; null if it was deleted. */
  actual: Schema.NullOr(Schema.String)
}) {
  override get message() {
    return `the branch ${this.branch} was at ${this.expected} and is now ${this.actual === null ? "gone" : `at ${this.actual}`}; check it, then try again from there`
  }
}

/** The new commit does not contain the commit at which the branch is. */
export class NotFastForward extends Schema.TaggedError<NotFastForward>()("NotFastForward", {
  branch: Schema.String,
  from: Schema.String,
  to: Schema.String
}) {
  override get message() {
    return `${this.to} does not contain ${this.from}, at which the branch ${this.branch} is; merge the two first`
  }
}

/** Advancing a checked-out branch would have overwritten files; nothing was changed. */
export class CheckoutInTheWay extends Schema.TaggedError<CheckoutInTheWay>()("CheckoutInTheWay", {
  path: Schema.String,
  branch: Schema.String,
  /** The files that would have been overwritten, if git named them. */
  files: Schema.Array(Schema.String),
  detail: Schema.String
}) {
  override get message() {
    const what = this.files.length === 0 ? this.detail : `uncommitted work in ${this.files.join(", ")}`
    return `the branch ${this.branch} cannot be advanced in ${this.path}: ${what}; commit or move it away, and try again`
  }
}

/** A merge, rebase or similar operation is unfinished. */
export class OperationInProgress extends Schema.TaggedError<OperationInProgress>()("OperationInProgress", {
  path: Schema.String,
  operation: Schema.String
}) {
  /** What is wrong, without what to do. */
  get problem() {
    return `a ${this.operation} is in progress in ${this.path}`
  }
  override get message() {
    return `${this.problem}; finish it or abort it there`
  }
}

/** A worktree is no longer as Charlotte created it; nothing was changed. */
export class WorktreeBroken extends Schema.TaggedError<WorktreeBroken>()("WorktreeBroken", {
  path: Schema.String,
  reason: Schema.String
}) {
  /** What is wrong, without what to do. */
  get problem() {
    return `the worktree ${this.path} cannot be used: ${this.reason}`
  }
  override get message() {
    return `${this.problem}; remove it and make it again`
  }
}

/** The path cannot be used for a worktree. */
export class PathTaken extends Schema.TaggedError<PathTaken>()("PathTaken", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `no worktree can be made at ${this.path}: ${this.reason}; remove what is there, or choose another path`
  }
}

/** Files still have the markers of a conflict. */
export class MarkersLeft extends Schema.TaggedError<MarkersLeft>()("MarkersLeft", {
  files: Schema.Array(Schema.String)
}) {
  override get message() {
    return `the conflict is not resolved: markers are left in ${this.files.join(", ")}`
  }
}

/** The worktree is not on its own branch, or the branch no longer contains its earlier commits. */
export class HeadMoved extends Schema.TaggedError<HeadMoved>()("HeadMoved", {
  path: Schema.String,
  expected: Schema.String,
  actual: Schema.String
}) {
  /** What is wrong, without what to do. */
  get problem() {
    return `HEAD of ${this.path} was moved: expected ${this.expected}, found ${this.actual}`
  }
  override get message() {
    return `${this.problem}; commit on the branch of the worktree, and only add to it`
  }
}

/** The worktree contains another repository; a commit would contain a pointer to it instead of its files. */
export class NestedRepository extends Schema.TaggedError<NestedRepository>()("NestedRepository", {
  path: Schema.String,
  directories: Schema.Array(Schema.String),
  /** Whether a commit has them, so that it is not enough to change the files. */
  isCommitted: Schema.Boolean
}) {
  override get message() {
    const advice = `${this.path} contains other git repositories in ${this.directories.join(", ")}; delete the .git in each, or ignore them in .gitignore`
    if (!this.isCommitted) return advice
    const remove = command("git", "rm", "--cached", "--", ...this.directories)
    return `${advice}; then take them out of the last commit with: ${remove} && git commit -m 'Remove nested repositories'`
  }
}

/** Git skipped files that it could not read in a worktree, and would have committed the rest. */
export class FilesUnreadable extends Schema.TaggedError<FilesUnreadable>()("FilesUnreadable", {
  path: Schema.String,
  /** The output of git, a line for each file or directory. */
  detail: Schema.String
}) {
  override get message() {
    return `git cannot read everything in ${this.path}: ${this.detail}; make it readable, or delete it`
  }
}

/** A file needs a content filter, and programs named in configuration are never run; nothing was changed. */
export class ContentFiltered extends Schema.TaggedError<ContentFiltered>()("ContentFiltered", {
  filter: Schema.String,
  /** Some of the files that need it. */
  files: Schema.Array(Schema.String),
  /** The attributes file that declares it. */
  declared: Schema.String,
  /** The file that configures its program; null for LFS if it is not installed. */
  configured: Schema.NullOr(Schema.String)
}) {
  override get message() {
    const configured = this.configured === null ? "" : `, and ${this.configured} configures its program`
    return `the content filter ${this.filter} is not supported, since programs named in git configuration are never run: ${this.declared} requires it for ${this.files.slice(0, 3).join(", ")}${configured}; remove "filter=${this.filter}" there, or keep such files out of the repository`
  }
}

/** Git has no author or committer identity. */
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
  | MarkersLeft
  | NestedRepository
  | FilesUnreadable
  | ContentFiltered
  | IdentityMissing
