/** The files in a worktree of ours: where it stands, what is in it, and its index put in place of the one that is there. */
import { Effect, Option } from "effect"
import { copyFile, open, rename, rm } from "node:fs/promises"
import * as Checkouts from "./Checkouts.js"
import type { TreeEntry } from "./Files.js"
import { step } from "./GitCommand.js"
import { HeadMoved, NestedRepository } from "./GitError.js"
import { mutate } from "./Mutation.js"
import { fullRef, type ObjectId } from "./Names.js"
import * as Refs from "./Refs.js"
import type { Repository } from "./Repository.js"
import { type Sealed, sealed } from "./Sealed.js"
import * as Worktrees from "./Worktrees.js"

/** Why the HEAD of the worktree is not on its branch. */
const elsewhere = (repository: Repository, { branch, gitDir, path }: Worktrees.Worktree) =>
  Effect.gen(function* () {
    const ref = yield* Refs.symbolicHead(repository, gitDir)
    if (Option.contains(ref, fullRef(branch))) return yield* Refs.resolve(repository, branch)
    const actual = Option.match(ref, {
      onNone: () => "no branch",
      onSome: (name) => name.replace(/^refs\/heads\//, "")
    })
    return yield* new HeadMoved({ path, expected: branch, actual })
  })

/** The commit at which the worktree stands, on its own branch, with nothing begun and not ended. */
export const stand = (repository: Repository, worktree: Worktrees.Worktree) =>
  Effect.gen(function* () {
    yield* Worktrees.verify(repository, worktree)
    const found = yield* Refs.ofHead(repository, worktree.gitDir, worktree.branch)
    const tip = Option.isSome(found) ? found.value : yield* elsewhere(repository, worktree)
    const operation = yield* Checkouts.operation(worktree)
    return Option.isSome(operation) ? yield* operation.value : tip
  })

/** A file as git lists it; one that is not in the index has neither mode nor object. */
interface Line extends TreeEntry {
  readonly letter: string
}

const parse = (line: string): ReadonlyArray<Line> => {
  // A name can look like an entry.
  if (line.startsWith("? ")) return [{ letter: "?", mode: "", object: "", path: line.slice(2) }]
  const [, letter, mode, object, path] = /^(.) (\d+) (\w+) \d\t(.*)$/s.exec(line) ?? []
  const isEntry = letter !== undefined && mode !== undefined && object !== undefined && path !== undefined
  return isEntry ? [{ letter, mode, object, path }] : []
}

/** Reads the commit into the index, and lists that with the files; fails when there is a repository among them, be it new or committed. */
const list = (git: Sealed, path: string, tip: ObjectId, also: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const args = ["ls-files", "-z", "-t", "--stage", "--others", "--exclude-standard", ...also]
    const { stdout } = yield* git.run(args, { first: [{ args: ["read-tree", "--end-of-options", tip] }] })
    const lines = stdout.toString().split("\0").flatMap(parse)
    // Git would look into them, and by their own configuration.
    const nested = lines.filter(({ letter, mode, path }) => mode === "160000" || (letter === "?" && path.endsWith("/")))
    const directories = [...new Set(nested.map((line) => line.path.replace(/\/$/, "")))]
    return directories.length > 0 ? yield* new NestedRepository({ path, directories }) : lines
  })

/**
 * Runs an operation over the files of the worktree, with an index that was read from its commit and a list of both.
 * The index that lies in the worktree's git directory is not looked at: it could say of a file that it has not changed.
 */
export const over = <A, E, R>(
  repository: Repository,
  { path }: Worktrees.Worktree,
  tip: ObjectId,
  use: (git: Sealed, lines: ReadonlyArray<Line>) => Effect.Effect<A, E, R>,
  also: ReadonlyArray<string> = []
) =>
  sealed(repository, (git) => Effect.flatMap(list(git, path, tip, also), (lines) => use(git, lines)), {
    workTree: path
  })

/**
 * Moves files and branch while the index is locked, and puts the new index in place, by git's own protocol, so that git in
 * the worktree sees it clean.
 */
const withIndex = <E, R, E2, R2>(
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
 * Moves the worktree to another commit: first its files, then its branch, then its index. The order is for a crash in
 * between. A branch that was moved before the files would have them look like a change that takes the commit back; files
 * that were moved before the branch hold more than it says, and nothing less.
 */
export const move = <E, R, E2, R2>(
  repository: Repository,
  worktree: Worktrees.Worktree,
  options: {
    readonly index: string
    readonly from: ObjectId
    readonly to: ObjectId
    /** Done when nothing can be in the way any more, and before the files. */
    readonly before: Effect.Effect<void, E, R>
    readonly files: Effect.Effect<void, E2, R2>
  }
) => {
  const { branch, gitDir } = worktree
  const { before, files, from, index, to } = options
  const locks = [`${gitDir}/index.lock`, `${gitDir}/HEAD.lock`, Refs.lockOf(repository, branch)]
  const moveBranch = Refs.move(repository, branch, { from: Option.some(from), to: Option.some(to) })
  return mutate(repository, { locks })(
    Worktrees.verify(repository, worktree).pipe(
      Effect.zipRight(before),
      // Milliseconds, and half of it would leave the worktree at odds with its branch.
      Effect.zipRight(
        Effect.uninterruptible(withIndex(gitDir, { index, files, branch: from === to ? Effect.void : moveBranch }))
      )
    )
  )
}
