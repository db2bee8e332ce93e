/** Looks up branches, and moves them by compare-and-set. */
import { Effect, Option, Schema } from "effect"
import { rm } from "node:fs/promises"
import * as Checkouts from "./Checkouts.js"
import * as fs from "./fs.js"
import { BranchCheckedOut, BranchExists, BranchMissing, BranchMoved, GitFailed, SymbolicBranch } from "./GitError.js"
import { step } from "./GitCommand.js"
import { listRefs, ownBranches } from "./listRefs.js"
import { mutate, patiently } from "./withRepositoryLock.js"
import { BranchName, fullRef, ObjectId, OwnBranch } from "./RefNames.js"
import { inRepository, type Repository } from "./Repository.js"

/** The HEAD of the checkout through which the repository was opened. */
export type Head =
  | { readonly _tag: "Branch"; readonly branch: BranchName; readonly commit: ObjectId }
  /** A branch that has no commit yet. */
  | { readonly _tag: "Unborn"; readonly branch: BranchName }
  | { readonly _tag: "Detached" }

/**
 * The commit in the loose ref file of a branch; none if only git can tell, as for a packed, symbolic or missing ref. Git replaces
 * the file atomically. Its real path must match exactly, which is not certain on a case-insensitive file system.
 */
const inFile = ({ commonDir, objectFormat }: Repository, branch: BranchName) =>
  Effect.gen(function* () {
    const file = `${commonDir}/${fullRef(branch)}`
    const { promises: asked } = fs
    const [real, line] = yield* step(`read ${file}`, () => Promise.all([asked.real(file), asked.readLine(file)]))
    const length = objectFormat === "sha256" ? 64 : 40
    const said = Option.filter(line, (said) => said.length === length && Option.contains(real, file))
    return Option.flatMap(said, decodeObject)
  }).pipe(Effect.orElseSucceed(() => Option.none<ObjectId>()))

const decodeObject = Schema.decodeOption(ObjectId)

/** The commit of a branch; none if the branch does not exist. */
export const find = (repository: Repository, branch: BranchName) =>
  Effect.gen(function* () {
    const loose = yield* inFile(repository, branch)
    if (Option.isSome(loose)) return loose
    const entry = (yield* listRefs(repository, fullRef(branch))).find(({ ref }) => ref === fullRef(branch))
    if (entry === undefined) return Option.none<ObjectId>()
    if (entry.symbolic !== "")
      return yield* new SymbolicBranch({ branch, target: entry.symbolic.replace(/^refs\/heads\//, "") })
    return Option.some(yield* decode(ObjectId, entry.object))
  })

/** The commit of a branch. */
export const resolve = (repository: Repository, branch: BranchName) =>
  Effect.flatMap(
    find(repository, branch),
    Option.match({ onNone: () => new BranchMissing({ branch }), onSome: Effect.succeed })
  )

/** Decodes output of git. */
export const decode = <A>(schema: Schema.Schema<A, string>, said: string) =>
  Effect.mapError(
    Schema.decodeUnknown(schema)(said),
    ({ message }) => new GitFailed({ operation: "understand git", exitCode: null, detail: message })
  )

/** The full ref name in a HEAD; none if it is detached. */
const symbolicHead = (repository: Repository, gitDir: string) =>
  Effect.map(
    inRepository(repository, ["symbolic-ref", "--quiet", "HEAD"], { gitDir, answers: [0, 1] }),
    ({ code, stdout }) => (code === 0 ? Option.some(stdout.toString().trim()) : Option.none())
  )

export const head = (repository: Repository) =>
  Effect.gen(function* () {
    const ref = yield* symbolicHead(repository, repository.gitDir)
    if (Option.isNone(ref)) return detached
    const branch = yield* decode(BranchName, ref.value.replace(/^refs\/heads\//, ""))
    return Option.match(yield* find(repository, branch), {
      onNone: (): Head => ({ _tag: "Unborn", branch }),
      onSome: (commit): Head => ({ _tag: "Branch", branch, commit })
    })
  })

const detached: Head = { _tag: "Detached" }

/** The null object id, which represents a missing ref. */
const nothing = ({ objectFormat }: Repository): string => "0".repeat(objectFormat === "sha256" ? 64 : 40)

/** The lock that guards a branch. */
export const lockOf = (repository: Repository, branch: BranchName): string =>
  `${repository.commonDir}/${fullRef(branch)}.lock`

/** Names the existing branch that prevents the creation of another, as `a/b` does for `a`. */
const orObstacle = (failure: GitFailed) => {
  const branch = /'refs\/heads\/([^']+)' exists; cannot create/.exec(failure.detail)?.[1]
  return branch === undefined ? failure : new BranchExists({ branch })
}

const isOwn = Schema.is(OwnBranch)

/**
 * A killed git leaves its lock behind, and there may be no later change to the branch that would clean it up. Removing it is safe:
 * only this process moves Charlotte's branches, one at a time.
 */
const unlock = (repository: Repository, branch: BranchName) =>
  isOwn(branch) ? Effect.ignore(Effect.tryPromise(() => rm(lockOf(repository, branch), { force: true }))) : Effect.void

/**
 * Moves a branch if it is at the expected commit; to be called within `mutate`. A symbolic ref is never followed.
 */
export const move = (
  repository: Repository,
  branch: BranchName,
  { from, to }: { readonly from: Option.Option<ObjectId>; readonly to: Option.Option<ObjectId> }
) =>
  patiently(repository, [
    "update-ref",
    "--no-deref",
    "-m",
    "charlotte",
    ...(Option.isNone(to) ? ["-d"] : []),
    "--end-of-options",
    fullRef(branch),
    ...Option.toArray(to),
    Option.getOrElse(from, () => nothing(repository))
  ]).pipe(
    // By then, git has exited.
    Effect.onInterrupt(() => unlock(repository, branch)),
    Effect.catchTag("GitFailed", (failure) =>
      Effect.gen(function* () {
        const now = yield* find(repository, branch)
        if (Option.getEquivalence((a: ObjectId, b: ObjectId) => a === b)(now, from)) return yield* orObstacle(failure)
        return yield* Option.isNone(from)
          ? new BranchExists({ branch })
          : new BranchMoved({ branch, expected: from.value, actual: Option.getOrNull(now) })
      })
    ),
    Effect.asVoid
  )

/** Creates a branch; fails if it exists. */
export const create = (repository: Repository, branch: OwnBranch, at: ObjectId) =>
  mutate(repository, { locks: [lockOf(repository, branch)] })(
    move(repository, branch, { from: Option.none(), to: Option.some(at) })
  )

/**
 * Deletes a branch if it exists; fails if it is checked out, or is not at the expected commit.
 */
export const remove = (repository: Repository, branch: OwnBranch, expected?: ObjectId) =>
  mutate(repository, { locks: [lockOf(repository, branch)], evenIfChanged: true })(
    Effect.gen(function* () {
      const at = yield* find(repository, branch)
      if (Option.isNone(at)) return
      for (const { path } of yield* Checkouts.of(repository, branch))
        return yield* new BranchCheckedOut({ branch, path })
      const from = expected === undefined ? at : Option.some(expected)
      yield* move(repository, branch, { from, to: Option.none() })
    })
  )

/** Removes a ref file without a valid commit, as a power loss can leave it: git lists no such branch, but cannot create it either. */
const removeBroken = ({ commonDir }: Repository, branch: OwnBranch) =>
  Effect.gen(function* () {
    const file = `${commonDir}/${fullRef(branch)}`
    const line = yield* fs.readLine(file)
    const isBroken = Option.exists(line, (said) => !/^(ref: |[0-9a-f]{40})/.test(said))
    if (isBroken && Option.contains(yield* fs.real(file), file))
      yield* step(`remove ${file}`, () => rm(file, { force: true }))
  })

/**
 * Sets a branch to a commit, or creates it; returns whether it changed. Refuses a branch that is checked out by the user. A job's
 * worktree on it is not updated, and must be created again.
 */
export const restore = (repository: Repository, branch: OwnBranch, at: ObjectId) =>
  mutate(repository, { locks: [lockOf(repository, branch)] })(
    Effect.gen(function* () {
      // A symbolic ref is replaced, regardless of its target.
      const now = yield* Effect.catchTag(find(repository, branch), "SymbolicBranch", () => Effect.succeedNone)
      if (Option.contains(now, at)) return false
      for (const { gitDir, path } of yield* Checkouts.of(repository, branch))
        if (Option.isNone(yield* fs.stat(Checkouts.mark(gitDir)))) return yield* new BranchCheckedOut({ branch, path })
      if (Option.isNone(now)) yield* removeBroken(repository, branch)
      const args = ["update-ref", "--no-deref", "-m", "charlotte", "--end-of-options", fullRef(branch), at]
      yield* Effect.mapError(patiently(repository, args), (error) =>
        error._tag === "GitFailed" ? orObstacle(error) : error
      )
      return true
    })
  )

/** All branches except symbolic ones; `own` marks the branches of jobs. */
export const all = (repository: Repository) =>
  Effect.map(listRefs(repository, "refs/heads/"), (entries) =>
    entries.flatMap(({ object, ref, symbolic }) => {
      const branch = ref.slice("refs/heads/".length)
      const commit = Schema.decodeOption(ObjectId)(object)
      return symbolic === "" && Option.isSome(commit)
        ? [{ branch, commit: commit.value, own: Schema.decodeOption(OwnBranch)(branch) }]
        : []
    })
  )

/** The branches of all jobs, each with its commit. */
export const own = (repository: Repository) =>
  Effect.map(listRefs(repository, ownBranches), (entries) =>
    entries.flatMap(({ object, ref, symbolic }) => {
      const branch = Schema.decodeOption(OwnBranch)(ref.slice("refs/heads/".length))
      const commit = Schema.decodeOption(ObjectId)(object)
      return symbolic === "" ? Option.toArray(Option.all({ branch, commit })) : []
    })
  )
