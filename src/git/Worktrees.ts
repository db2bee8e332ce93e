/** The worktrees of units: outside the repository, each on its own branch, and distinguished from the user's by a mark. */
import { Cause, Effect, Option, Schema } from "effect"
import { mkdir, rename as renameFile, rm, rmdir, writeFile } from "node:fs/promises"
import { basename, dirname } from "node:path"
import * as Checkouts from "./Checkouts.js"
import * as ContentFilters from "./ContentFilters.js"
import * as fs from "./fs.js"
import { type GitCommand, step } from "./GitCommand.js"
import { BranchCheckedOut, type GitError, GitFailed, PathTaken, WorktreeBroken } from "./GitError.js"
import { mutate, type Mutexes, patiently } from "./withRepositoryLock.js"
import { AbsolutePath, fullRef, type ObjectId, OwnBranch } from "./RefNames.js"
import * as Refs from "./Refs.js"
import type { Repository } from "./Repository.js"
import { isolatedGitDir } from "./IsolatedGitDir.js"
import * as SharedClone from "./SharedClone.js"
import * as SnapshotPack from "./SnapshotPack.js"
import * as StatCache from "./StatCache.js"

export interface Worktree {
  readonly path: AbsolutePath
  /** Its git directory in the user's repository, with which it is registered there. */
  readonly gitDir: string
  /** The repository in which processes work there. */
  readonly clone: string
  readonly branch: OwnBranch
}

/** The worktree registered at a path, on whatever branch; fails if it is not registered any more. */
export const find = (repository: Repository, wanted: AbsolutePath) =>
  Effect.gen(function* () {
    const path = Option.getOrElse(yield* canonical(wanted), () => wanted)
    const gitDir = (yield* Checkouts.linked(repository)).get(path)
    if (gitDir !== undefined) return Option.some({ path, gitDir, clone: SharedClone.at(path) })
    if (Option.isNone(yield* fs.stat(path))) return Option.none()
    return yield* new WorktreeBroken({ path, reason: "it is no longer registered in the repository" })
  })

/** Fails if the worktree is no longer as it was created. */
export const verify = (repository: Repository, worktree: Worktree) =>
  Effect.gen(function* () {
    const { branch, clone, gitDir, path } = worktree
    const broken = (reason: string) => new WorktreeBroken({ path, reason })
    const { promises: asked } = fs
    const [real, entry, link, own, common, mark] = yield* step(`look at ${path}`, () =>
      Promise.all([
        asked.real(path),
        asked.look(`${path}/.git`),
        asked.readLine(`${path}/.git`),
        asked.real(clone),
        asked.readLine(`${gitDir}/commondir`),
        asked.readLine(Checkouts.mark(gitDir))
      ])
    )
    if (!Option.contains(real, path)) return yield* broken("it is gone, or behind a symbolic link")
    if (!Option.exists(entry, (stats) => stats.isFile())) return yield* broken("its .git is gone or was replaced")
    if (!Option.contains(link, `gitdir: ${clone}`) || !Option.contains(own, clone))
      return yield* broken(`its .git does not lead to ${clone}`)
    const isOurs = Option.contains(mark, branch) && fs.isWithin(gitDir, repository.commonDir)
    if (!isOurs || !Option.contains(common, "../..")) return yield* broken("its git directory was changed")
  })

/** The branch for which a worktree was created, or by which it was adopted. */
export const ownerOf = (repository: Repository, { gitDir, path }: Omit<Worktree, "branch">) =>
  madeFor(repository, path, gitDir)

/** Puts a worktree on another branch, at a commit; its mark comes last, so that an interrupted change can be repeated. */
export const rename = ({ branch, clone, gitDir, path }: Worktree, commit: ObjectId) =>
  Effect.zipRight(
    SharedClone.setBranch(clone, branch, commit),
    step(`put ${path} on ${branch}`, async () => {
      for (const [file, content] of [
        [`${clone}/HEAD`, `ref: ${fullRef(branch)}\n`],
        [`${gitDir}/HEAD`, `ref: ${fullRef(branch)}\n`],
        [Checkouts.mark(gitDir), `${branch}\n`]
      ] as const) {
        await writeFile(`${file}.lock`, content)
        await renameFile(`${file}.lock`, file)
      }
    })
  )

/** A file beside a worktree, out of the way of its processes; it contains the repository and the branch. */
const note = (path: string): string => `${dirname(path)}/.${basename(path)}`

/**
 * The branch of a worktree that Charlotte created. After a crash, its mark may be missing or empty, or git may have been about to put
 * its HEAD on the branch; the note is written before all of that. The note of an earlier version has no branch.
 */
const madeFor = ({ commonDir }: Repository, path: string, gitDir: string) =>
  Effect.gen(function* () {
    const mark = Option.flatMap(yield* fs.readLine(Checkouts.mark(gitDir)), decodeBranch)
    if (Option.isSome(mark)) return mark
    const noted = Option.match(yield* fs.read(note(path)), {
      onNone: () => [],
      onSome: (text) => `${text}`.split("\n")
    })
    if (noted[0] !== commonDir) return mark
    const head = Option.map(yield* fs.readLine(`${gitDir}/HEAD`), (line) => line.replace(/^ref: refs\/heads\//, ""))
    return Option.orElse(decodeBranch(noted[1] ?? ""), () => Option.flatMap(head, decodeBranch))
  })

const decodeBranch = Schema.decodeOption(OwnBranch)

/** The worktrees of all jobs, even if their files are gone. */
export const list = (repository: Repository) =>
  Effect.gen(function* () {
    const worktrees = yield* Effect.forEach(yield* Checkouts.linked(repository), ([path, gitDir]) =>
      Effect.map(madeFor(repository, path, gitDir), (branch) =>
        Option.map(Option.all([Schema.decodeOption(AbsolutePath)(path), branch]), ([path, branch]) => ({
          path,
          gitDir,
          clone: SharedClone.at(path),
          branch
        }))
      )
    )
    return worktrees.flatMap((worktree): ReadonlyArray<Worktree> => Option.toArray(worktree))
  })

/** The path with symbolic links in its parent directories resolved. */
export const canonical = (path: AbsolutePath) =>
  Effect.map(fs.real(dirname(path)), (parent) =>
    Option.flatMap(parent, (directory) =>
      Schema.decodeOption(AbsolutePath)(`${directory === "/" ? "" : directory}/${basename(path)}`)
    )
  )

/** The canonical path; fails if it exists, or is inside a checkout. */
const free = (repository: Repository, wanted: AbsolutePath) =>
  Effect.gen(function* () {
    const taken = (reason: string) => new PathTaken({ path: wanted, reason })
    yield* step(`make ${dirname(wanted)}`, () => mkdir(dirname(wanted), { recursive: true }))
    const path = Option.getOrElse(yield* canonical(wanted), () => wanted)
    if (Option.isSome(yield* fs.stat(path))) return yield* taken("it already exists")
    const clone = SharedClone.at(path)
    if (Option.isSome(yield* fs.stat(clone))) return yield* taken(`${clone} already exists`)
    const around = (yield* Checkouts.directories(repository)).find((place) => fs.isWithin(path, place))
    return around === undefined ? path : yield* taken(`it is inside ${around}`)
  })

/** Removes a worktree from the repository's list; its files are not touched. */
const unregister = ({ commonDir }: Repository, gitDir: string) =>
  StatCache.forget(gitDir).pipe(
    Effect.zipRight(fs.remove(gitDir)),
    // As git does: the parent directory is removed with the last worktree.
    Effect.zipRight(step("tidy up", () => rmdir(`${commonDir}/worktrees`).catch(() => {})))
  )

const attach = (repository: Repository, path: AbsolutePath, branch: OwnBranch) =>
  patiently(repository, ["worktree", "add", "--no-checkout", "--end-of-options", path, branch])

/** Retries if the branch was checked out in a worktree of Charlotte's that was moved; the files there are not touched. */
const attachAnyway = (repository: Repository, path: AbsolutePath, branch: OwnBranch, failure: GitFailed) =>
  Effect.gen(function* () {
    yield* Refs.resolve(repository, branch)
    const moved = (yield* list(repository)).filter((other) => other.branch === branch && other.path !== path)
    for (const other of moved) {
      yield* unregister(repository, other.gitDir)
      yield* Effect.logWarning(`${other.path} is no longer a worktree: ${branch} is now checked out in ${path}`)
    }
    for (const checkout of yield* Checkouts.of(repository, branch))
      return yield* new BranchCheckedOut({ branch, path: checkout.path })
    return yield* moved.length === 0 ? failure : attach(repository, path, branch)
  })

/**
 * Creates the worktree without files, which are written later, isolated from the repository's configuration. Also returns the
 * commit.
 */
const register = (repository: Repository, path: AbsolutePath, branch: OwnBranch) =>
  Effect.gen(function* () {
    yield* step(`note ${path}`, () => writeFile(note(path), `${repository.commonDir}\n${branch}\n`))
    yield* Effect.catchTag(attach(repository, path, branch), "GitFailed", (failure) =>
      attachAnyway(repository, path, branch, failure)
    )
    const gitDir = (yield* Checkouts.linked(repository)).get(path)
    if (gitDir === undefined)
      return yield* new GitFailed({
        operation: "worktree",
        exitCode: 0,
        detail: `${path} was created, but is not registered`
      })
    yield* step(`mark ${path}`, () => writeFile(Checkouts.mark(gitDir), `${branch}\n`))
    // A copy of the user's sparse checkout would leave files out.
    yield* step(`prepare ${path}`, () =>
      Promise.all(["config.worktree", "info/sparse-checkout"].map((name) => rm(`${gitDir}/${name}`, { force: true })))
    )
    const commit = yield* Refs.resolve(repository, branch)
    const clone = yield* SharedClone.make(repository, { path, gitDir, branch, commit })
    const worktree: Worktree = { path, gitDir, clone, branch }
    return { worktree, commit }
  })

const populate = (
  repository: Repository,
  worktree: Worktree,
  { commit, unfinished }: { readonly commit: ObjectId; readonly unfinished: SnapshotPack.SnapshotPack | undefined }
) =>
  Effect.gen(function* () {
    const { clone, path } = worktree
    const index = `${clone}/index.new`
    yield* ContentFilters.refuseIn(repository, { tree: commit })
    yield* isolatedGitDir(repository, (git) => git.run(["read-tree", "-m", "-u", "--end-of-options", commit]), {
      workTree: path,
      index
    })
    if (unfinished !== undefined) yield* SnapshotPack.lay(repository, path, unfinished)
    yield* step("put the index in place", () => renameFile(index, `${clone}/index`))
    // No process of the worktree runs yet.
    yield* StatCache.save(worktree, { index: `${clone}/index`, commit, since: yield* StatCache.now(worktree) })
  })

/**
 * Whether the files of a worktree were written, or may have been. If not, its creation was interrupted, and no process has worked
 * there.
 */
export const isPopulated = (worktree: Omit<Worktree, "branch">) =>
  Effect.exists([`${worktree.clone}/index`, StatCache.fileOf(worktree)], (file) =>
    Effect.map(fs.stat(file), Option.isSome)
  )

export interface AddOptions {
  readonly path: AbsolutePath
  readonly branch: OwnBranch
  /** The commit of a new branch. */
  readonly from?: ObjectId
  /** A snapshot whose files the worktree gets, as uncommitted changes of its base, the commit of the branch. */
  readonly unfinished?: SnapshotPack.SnapshotPack | undefined
}

/**
 * Creates a worktree with its branch: a new branch at the commit `from`, or without it an existing one. A failure undoes all
 * steps. An interruption does not: it would have to wait for the operations of other jobs on the repository, each of which may
 * take longer than the grace period of a stop. It leaves what a kill may leave: a worktree with some or none of its files.
 */
export const add = (repository: Repository, options: AddOptions) =>
  Effect.gen(function* () {
    const { branch, unfinished } = options
    const from = Option.fromNullable(options.from)
    const path = yield* free(repository, options.path)
    const undo: Array<Effect.Effect<void, GitError, GitCommand | Mutexes | StatCache.StatCaches>> = []
    const begin = Effect.gen(function* () {
      if (Option.isSome(from)) {
        yield* Refs.move(repository, branch, { from: Option.none(), to: from })
        undo.unshift(Refs.remove(repository, branch))
      }
      undo.unshift(remove(repository, path))
      return yield* register(repository, path, branch)
    })
    return yield* mutate(repository, { locks: [Refs.lockOf(repository, branch)] })(Effect.uninterruptible(begin)).pipe(
      Effect.tap(({ commit, worktree }) => populate(repository, worktree, { commit, unfinished })),
      Effect.map(({ worktree }) => worktree),
      Effect.onError((cause) =>
        Cause.isInterruptedOnly(cause) ? Effect.void : Effect.forEach(undo, Effect.ignore, { discard: true })
      )
    )
  })

/** Whether removal loses nothing: the directory contains at most the `.git` of a worktree that was being created. */
const isEmpty = (repository: Repository, path: string, gitDir: string | undefined) =>
  Effect.gen(function* () {
    const names = yield* fs.list(path)
    if (names.some((name) => name !== ".git")) return false
    const entry = yield* fs.readLine(`${path}/.git`)
    const head = gitDir === undefined ? Option.none() : yield* fs.readLine(`${gitDir}/HEAD`)
    return (
      (names.length === 0 ||
        Option.exists(entry, (line) => line.startsWith(`gitdir: ${repository.commonDir}/worktrees/`))) &&
      (gitDir === undefined || Option.exists(head, (line) => line.startsWith("ref: refs/heads/charlotte/")))
    )
  })

/**
 * Removes a worktree of Charlotte's with all its files and its registration, if it exists. Anything that is not certainly such a
 * worktree is not touched.
 */
export const remove = (repository: Repository, wanted: AbsolutePath) =>
  mutate(repository, { evenIfChanged: true })(
    Effect.gen(function* () {
      const path = Option.getOrElse(yield* canonical(wanted), () => wanted)
      const isThere = Option.isSome(yield* fs.stat(path))
      const worktrees = yield* Checkouts.linked(repository)
      const gitDir = worktrees.get(path)
      const isNoted = Option.contains(yield* fs.readLine(note(path)), repository.commonDir)
      if (isThere || gitDir !== undefined) {
        const isMarked = gitDir !== undefined && Option.isSome(yield* fs.readLine(Checkouts.mark(gitDir)))
        const isAround = [repository.topLevel, repository.commonDir].some((place) => fs.isWithin(place, path))
        if (isAround || !(isMarked || isNoted || (yield* isEmpty(repository, path, gitDir))))
          return yield* new WorktreeBroken({
            path,
            reason: "it was not created by Charlotte, or its git directory is gone"
          })
      }
      if (isThere) yield* fs.remove(path)
      const clone = SharedClone.at(path)
      if ((isNoted || gitDir !== undefined) && Option.isSome(yield* fs.stat(clone))) yield* fs.remove(clone)
      // Worktrees inside it were removed with it.
      for (const [place, directory] of worktrees) if (fs.isWithin(place, path)) yield* unregister(repository, directory)
      if (isNoted) yield* step("remove a note", () => rm(note(path), { force: true }))
    })
  )
