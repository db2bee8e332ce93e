/** The files in the worktree of a job: HEAD, content and index. */
import { Effect, Option, Schema } from "effect"
import { copyFile, open, rename, rm } from "node:fs/promises"
import * as Checkouts from "./Checkouts.js"
import { fields } from "./Files.js"
import { step } from "./GitCommand.js"
import { BranchMissing, HeadMoved, NestedRepository, WorktreeBroken } from "./GitError.js"
import { mutate } from "./withRepositoryLock.js"
import { fullRef, ObjectId } from "./RefNames.js"
import * as Refs from "./Refs.js"
import type { Repository } from "./Repository.js"
import { type IsolatedGitDir, isolatedGitDir } from "./IsolatedGitDir.js"
import * as SharedClone from "./SharedClone.js"
import * as StatCache from "./StatCache.js"
import * as Worktrees from "./Worktrees.js"

/** The commit of the branch in the clone; fails if HEAD is not on it, or if it is a symbolic ref. */
const tip = ({ branch, clone, path }: Worktrees.Worktree) =>
  Effect.gen(function* () {
    const elsewhere = (actual: string) => new HeadMoved({ path, expected: branch, actual })
    const short = (ref: string) => ref.replace(/^refs\/heads\//, "")
    const ref = yield* SharedClone.head(clone)
    if (Option.isNone(ref)) return yield* elsewhere("no branch")
    if (ref.value !== fullRef(branch)) return yield* elsewhere(short(ref.value))
    const said = yield* SharedClone.tip(clone, branch)
    if (Option.isNone(said)) return yield* new BranchMissing({ branch })
    return yield* Effect.mapError(Schema.decode(ObjectId)(said.value), () =>
      elsewhere(short(said.value.replace(/^ref: /, "")))
    )
  })

/** Copies the commits of the clone to the user's repository, and moves the branch there. */
const bring = (repository: Repository, { branch, clone, path }: Worktrees.Worktree, tip: ObjectId) =>
  Effect.gen(function* () {
    const known = yield* Effect.catchTag(Refs.find(repository, branch), "SymbolicBranch", () => Effect.succeedNone)
    if (Option.contains(known, tip)) return
    const since = Option.match(known, { onNone: () => [], onSome: (commit) => [`^${commit}`] })
    yield* SharedClone.copyObjects(repository, clone)
    yield* isolatedGitDir(repository, (git) =>
      git.run(["rev-list", "--objects", "--quiet", "--end-of-options", tip, ...since])
    ).pipe(
      Effect.catchTag(
        "GitFailed",
        ({ detail }) => new WorktreeBroken({ path, reason: `what was committed there cannot be read: ${detail}` })
      )
    )
    yield* Refs.restore(repository, branch, tip)
  })

/** The commit of a verified worktree; fails unless it is on its own branch, with no unfinished operation. */
export const examine = (worktree: Worktrees.Worktree) =>
  Effect.gen(function* () {
    const commit = yield* tip(worktree)
    const operation = yield* Checkouts.operation({ gitDir: worktree.clone, path: worktree.path })
    return Option.isSome(operation) ? yield* operation.value : commit
  })

/** The same, with the commit copied to the user's repository. */
export const stand = (repository: Repository, worktree: Worktrees.Worktree) =>
  Worktrees.verify(repository, worktree).pipe(
    Effect.zipRight(examine(worktree)),
    Effect.tap((commit) => bring(repository, worktree, commit))
  )

/** What `git status` says of the files of a worktree. */
interface Changes {
  /** Files that were changed or added. */
  readonly written: ReadonlyArray<string>
  readonly deleted: ReadonlyArray<string>
  /** Ignored files; a directory that is ignored as a whole is one of them, with a slash at its end. */
  readonly ignored: ReadonlyArray<string>
  /** Git's warnings, such as about directories that it cannot read. */
  readonly warnings: string
}

/** The files that were changed, added or deleted, sorted. */
export const changed = ({ deleted, written }: Changes): ReadonlyArray<string> => [...written, ...deleted].toSorted()

/** Parses a line of `git status --porcelain=v2 -z`: a changed file has eight fields before its path, others only a sign. */
const parse = (line: string) => {
  const [, state = line.slice(0, 1), path = line.slice(2)] = /^1 .(.) (?:\S+ ){6}(.*)$/s.exec(line) ?? []
  return { state, path }
}

/** Git would descend into nested repositories, and use their configuration. */
const refuseNested = (path: string, directories: ReadonlyArray<string>, isCommitted: boolean) =>
  directories.length === 0 ? Effect.void : new NestedRepository({ path, directories, isCommitted })

/** Reads the commit into the index; fails if it contains a nested repository. */
const readCommit = (git: IsolatedGitDir, path: string, commit: ObjectId) =>
  Effect.gen(function* () {
    // Keeps the index's data on files that the commit has unchanged, and does not read the files.
    yield* git.run(["read-tree", "-i", "-m", "--end-of-options", commit])
    const { stdout } = yield* git.run(["ls-files", "-z", "--stage"])
    const nested = fields(stdout).filter((line) => line.startsWith("160000 "))
    yield* refuseNested(
      path,
      nested.map((line) => line.slice(line.indexOf("\t") + 1)),
      true
    )
  })

/** Compares files and index in one walk, which also updates the index's data on unchanged files. */
const compare = (git: IsolatedGitDir, path: string) =>
  Effect.gen(function* () {
    const { stderr, stdout } = yield* git.run(
      [
        ...["status", "--porcelain=v2", "-z", "--no-renames", "--ignore-submodules=all"],
        ...["--untracked-files=all", "--ignored=matching"]
      ],
      { variables: { GIT_OPTIONAL_LOCKS: "1" } }
    )
    const lines = fields(stdout).map(parse)
    const paths = (states: string) => lines.filter(({ state }) => states.includes(state)).map(({ path }) => path)
    const nested = paths("?").filter((name) => name.endsWith("/"))
    yield* refuseNested(
      path,
      nested.map((name) => name.slice(0, -1)),
      false
    )
    const changes: Changes = {
      written: paths("MT?"),
      deleted: paths("D"),
      ignored: paths("!").toSorted(),
      warnings: stderr
    }
    return changes
  })

/** The changed files of a worktree, and its commit in an index. */
export interface Files extends Changes {
  readonly git: IsolatedGitDir
  /** When git began to read the files, for `StatCache`. */
  readonly since: bigint
}

/**
 * Runs an operation on the files of the worktree, with an index of its commit and the changes since. The worktree's own index is not
 * used: it could claim that a changed file is unchanged.
 */
export const over = <A, E, R>(
  repository: Repository,
  worktree: Worktrees.Worktree,
  tip: ObjectId,
  use: (files: Files) => Effect.Effect<A, E, R>
) =>
  isolatedGitDir(
    repository,
    (git) =>
      Effect.gen(function* () {
        const { path } = worktree
        const since = yield* StatCache.now(worktree)
        const restored = yield* StatCache.restore(repository, worktree, git.index)
        if (!Option.contains(restored, tip)) yield* readCommit(git, path, tip)
        return yield* use({ git, since, ...(yield* compare(git, path)) })
      }),
    { workTree: worktree.path, head: tip }
  )

/**
 * Updates the files and the branch while the index is locked, and replaces the index by git's own protocol, so that git sees a clean
 * worktree.
 */
export const withIndex = <E, R, E2, R2>(
  gitDir: string,
  {
    branch,
    files,
    index
  }: {
    readonly index: string
    readonly files: Effect.Effect<void, E, R>
    readonly branch: Effect.Effect<void, E2, R2>
  }
) => {
  const lock = `${gitDir}/index.lock`
  return Effect.acquireUseRelease(
    step("lock the index", () => open(lock, "wx").then((file) => file.close())),
    () =>
      files.pipe(
        Effect.zipRight(step("write the index", () => copyFile(index, lock))),
        Effect.zipRight(branch),
        Effect.zipRight(step("put the index in place", () => rename(lock, `${gitDir}/index`)))
      ),
    () => Effect.ignore(step("unlock the index", () => rm(lock, { force: true })))
  )
}

/**
 * Moves the worktree to another commit: first its files, then its branch, then its index. The order matters after a crash in between:
 * with the branch moved first, the old files would look like a change that reverts the commit; with the files moved first, they only
 * contain more than the branch.
 */
export const move = <E, R, E2, R2>(
  repository: Repository,
  worktree: Worktrees.Worktree,
  options: {
    readonly index: string
    readonly since: bigint
    readonly from: ObjectId
    readonly to: ObjectId
    /** Runs after all checks, before the files are updated. */
    readonly before: Effect.Effect<void, E, R>
    readonly files: Effect.Effect<void, E2, R2>
  }
) => {
  const { branch, clone } = worktree
  const { before, files, from, index, since, to } = options
  const locks = [`${clone}/index.lock`, `${clone}/HEAD.lock`, Refs.lockOf(repository, branch)]
  const moveBranch = Effect.zipRight(
    Refs.move(repository, branch, { from: Option.some(from), to: Option.some(to) }),
    SharedClone.setBranch(clone, branch, to)
  )
  return mutate(repository, { locks })(
    Worktrees.verify(repository, worktree).pipe(
      Effect.zipRight(before),
      // This takes milliseconds, and stopping halfway would leave worktree and branch inconsistent.
      Effect.zipRight(
        Effect.uninterruptible(withIndex(clone, { index, files, branch: from === to ? Effect.void : moveBranch }))
      )
    )
  ).pipe(Effect.zipLeft(StatCache.save(worktree, { index, commit: to, since })))
}
