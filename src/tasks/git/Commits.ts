/** All that was done in a worktree, as one commit on its branch. */
import { Effect, Option } from "effect"
import { open, readFile, rename, rm, writeFile } from "node:fs/promises"
import * as Checkouts from "./Checkouts.js"
import * as CommitObject from "./CommitObject.js"
import { step } from "./GitCommand.js"
import { HeadMoved, NestedRepository } from "./GitError.js"
import * as History from "./History.js"
import { mutate } from "./Mutation.js"
import { fullRef, ObjectId } from "./Names.js"
import * as Refs from "./Refs.js"
import type { Repository } from "./Repository.js"
import { type Sealed, sealed } from "./Sealed.js"
import * as Worktrees from "./Worktrees.js"

/** The commit at which the worktree stands, on its own branch, with nothing begun and not ended. */
const stand = (repository: Repository, worktree: Worktrees.Worktree) =>
  Effect.gen(function* () {
    const { branch, gitDir, path } = worktree
    yield* Worktrees.verify(repository, worktree)
    const ref = yield* Refs.symbolicHead(repository, gitDir)
    if (!Option.contains(ref, fullRef(branch))) {
      const actual = Option.match(ref, {
        onNone: () => "no branch",
        onSome: (name) => name.replace(/^refs\/heads\//, "")
      })
      return yield* new HeadMoved({ path, expected: branch, actual })
    }
    const operation = yield* Checkouts.operation(worktree)
    if (Option.isSome(operation)) return yield* operation.value
    return yield* Refs.resolve(repository, branch)
  })

const changed = ["ls-files", "-z", "-t", "--stage", "--others", "--exclude-standard"]

/** Repositories within the worktree, be they new or committed: git would look into them, and by their own configuration. */
const refuseNested = (git: Sealed, path: string) =>
  Effect.gen(function* () {
    const { stdout } = yield* git.run(changed)
    const directories = stdout
      .toString()
      .split("\0")
      .flatMap((line) => /^\? (.*)\/$/s.exec(line)?.[1] ?? /^. 160000 \w+ \d\t(.*)$/s.exec(line)?.[1] ?? [])
    if (directories.length > 0) return yield* new NestedRepository({ path, directories })
  })

/**
 * Runs an operation over the files of the worktree with an index that was read from its commit. The index that lies in
 * the worktree's git directory is not looked at: it could say of a file that it has not changed.
 */
const overFiles = <A, E, R>(
  repository: Repository,
  { path }: Worktrees.Worktree,
  tip: ObjectId,
  use: (git: Sealed) => Effect.Effect<A, E, R>
) =>
  sealed(
    repository,
    (git) =>
      git
        .run(["read-tree", "--end-of-options", tip])
        .pipe(Effect.zipRight(refuseNested(git, path)), Effect.zipRight(use(git))),
    { workTree: path }
  )

export interface Status {
  readonly commit: ObjectId
  /** The files that differ from the commit, are new or are gone, but for ignored ones. */
  readonly changed: ReadonlyArray<string>
}

/** Where the worktree stands, and what is in it that is not committed. */
export const status = (repository: Repository, worktree: Worktrees.Worktree) =>
  Effect.gen(function* () {
    const commit = yield* stand(repository, worktree)
    const args = ["ls-files", "-z", "--modified", "--deleted", "--others", "--exclude-standard"]
    const { stdout } = yield* overFiles(repository, worktree, commit, (git) => git.run(args))
    const names = new Set(stdout.toString().split("\0"))
    names.delete("")
    const status: Status = { commit, changed: [...names].toSorted() }
    return status
  })

/** Puts the index in place, by git's own protocol, so that git in the worktree sees it clean. */
const withIndex = <A, E, R>(gitDir: string, index: string, use: Effect.Effect<A, E, R>) => {
  const lock = `${gitDir}/index.lock`
  return Effect.acquireUseRelease(
    step("lock the index", () => open(lock, "wx").then((file) => file.close())),
    () =>
      Effect.zipLeft(
        use,
        step("write the index", async () => {
          await writeFile(lock, await readFile(index))
          await rename(lock, `${gitDir}/index`)
        })
      ),
    () => Effect.ignore(step("unlock the index", () => rm(lock, { force: true })))
  )
}

export interface CommitOptions extends CommitObject.Subject {
  /** A commit that the branch must still contain: where it was when the work began. */
  readonly since?: ObjectId
  /**
   * Called when the commit exists and the branch does not lead to it yet. What it writes down tells our commits from
   * others that carry the same trailers; when it fails, the branch stays where it is.
   */
  readonly before?: (commit: ObjectId) => Effect.Effect<void>
}

/**
 * Commits all that is in the worktree but ignored files, whatever of it was staged; when nothing has changed, the commit
 * says so by being empty.
 */
export const commit = (repository: Repository, worktree: Worktrees.Worktree, options: CommitOptions) =>
  Effect.gen(function* () {
    const { branch, gitDir, path } = worktree
    const { before = () => Effect.void, since } = options
    const tip = yield* stand(repository, worktree)
    if (since !== undefined && !(yield* History.isAncestor(repository, since, tip)))
      return yield* new HeadMoved({ path, expected: `a commit that contains ${since}`, actual: tip })
    const record = (git: Sealed) =>
      Effect.gen(function* () {
        yield* git.run(["add", "--all"])
        const tree = yield* Refs.decode(ObjectId, (yield* git.run(["write-tree"])).stdout.toString().trim())
        const made = yield* CommitObject.write(repository, git, { tree, parents: [tip], subject: options })
        const locks = [`${gitDir}/index.lock`, `${gitDir}/HEAD.lock`, Refs.lockOf(repository, branch)]
        yield* mutate(repository, { locks })(
          Effect.gen(function* () {
            yield* Worktrees.verify(repository, worktree)
            yield* before(made)
            const move = Refs.move(repository, branch, { from: Option.some(tip), to: Option.some(made) })
            // Milliseconds, and half of it would leave the worktree at odds with its branch.
            yield* Effect.uninterruptible(withIndex(gitDir, git.index, move))
          })
        )
        return made
      })
    return yield* overFiles(repository, worktree, tip, record)
  })
