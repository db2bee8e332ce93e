/**
 * Removes what jobs that have ended left in repositories: worktrees and branches. What holds work that nothing else holds stays,
 * unless it is to be discarded.
 *
 * @since 0.1.0
 */
import { DateTime, type Duration, Effect, Option, Schema } from "effect"
import type { StoreError } from "../domain/errors.js"
import { JobId } from "../domain/JobId.js"
import type { Run } from "../domain/Run.js"
import { isTerminal } from "../domain/RunStatus.js"
import { RunStore } from "../store/RunStore.js"
import { Git } from "../git/Git.js"
import * as fs from "../git/fs.js"
import type { GitError } from "../git/GitError.js"
import { type ObjectId, type OwnBranch, resultBranch } from "../git/RefNames.js"
import type { Repository } from "../git/Repository.js"
import type { Worktree } from "../git/Worktrees.js"
import * as PlanSnapshot from "./run/PlanSnapshot.js"

/** @since 0.1.0 */
export interface Options {
  /** A path in the one repository to work in; else all in which jobs have worked. */
  readonly repository?: string
  /** Those jobs only. */
  readonly jobs?: ReadonlyArray<JobId>
  /** Jobs only that ended so long ago. */
  readonly olderThan?: Duration.DurationInput
  /** Removes also what holds work that nothing else holds: that work is lost. */
  readonly discard?: boolean
  /** Only tells what would be removed. */
  readonly dryRun?: boolean
}

/** @since 0.1.0 */
export interface Kept {
  /** A branch, or the path of a worktree. */
  readonly name: string
  /** The job whose it is. */
  readonly jobId: JobId
  readonly reason: string
}

/**
 * Of one repository.
 *
 * @since 0.1.0
 */
export interface Pruned {
  readonly repository: string
  readonly worktrees: ReadonlyArray<string>
  readonly branches: ReadonlyArray<string>
  /** What stays, since work would be lost with it. */
  readonly kept: ReadonlyArray<Kept>
  /** What was in the way. */
  readonly problems: ReadonlyArray<string>
}

/** @since 0.1.0 */
export const prune = Effect.fn("Prune.prune")(function* (options: Options = {}) {
  const git = yield* Git
  const pruned: Array<Pruned> = []
  const seen = new Set<string>()
  for (const path of yield* repositories(options)) {
    const repository = yield* Effect.either(git.open(path))
    if (repository._tag === "Left") {
      pruned.push({ ...nothing(path), problems: [repository.left.message] })
    } else if (!seen.has(repository.right.identity)) {
      seen.add(repository.right.identity)
      pruned.push(yield* inRepository(repository.right, options))
    }
  }
  return pruned.filter(
    ({ branches, kept, problems, worktrees }) => branches.length + kept.length + problems.length + worktrees.length > 0
  )
})

const nothing = (repository: string): Pruned => ({ repository, worktrees: [], branches: [], kept: [], problems: [] })

const pageSize = 500

/** Where those jobs, or all jobs, have worked. */
const repositories = ({ jobs, repository }: Options): Effect.Effect<ReadonlySet<string>, StoreError, RunStore> =>
  Effect.gen(function* () {
    if (repository !== undefined) return new Set([repository])
    const store = yield* RunStore
    const paths = new Set<string>()
    const add = ({ config }: Run) => {
      for (const path of Option.toArray(repoPath(config))) paths.add(path)
    }
    if (jobs !== undefined) {
      for (const id of jobs) Option.map(yield* store.get(id), add)
      return paths
    }
    let before = Option.none<JobId>()
    do {
      const page = yield* store.page({ limit: pageSize, ...(Option.isSome(before) && { before: before.value }) })
      page.runs.forEach(add)
      before = page.next
    } while (Option.isSome(before))
    return paths
  })

const Config = Schema.Struct({ repoPath: Schema.String })

const repoPath = (config: unknown): Option.Option<string> =>
  Option.map(Schema.decodeUnknownOption(Config)(config), ({ repoPath }) => repoPath)

const inRepository = (repository: Repository, options: Options) =>
  Effect.gen(function* () {
    const git = yield* Git
    const worktrees: Array<string> = []
    const branches: Array<string> = []
    const kept: Array<Kept> = []
    const problems: Array<string> = []
    const attempt = (what: string, into: Array<string>, removal: Effect.Effect<void, GitError>) =>
      Effect.matchEffect(options.dryRun === true ? Effect.void : removal, {
        onSuccess: () => Effect.sync(() => void into.push(what)),
        onFailure: ({ message }) => Effect.sync(() => void problems.push(message))
      })

    const occupied = new Set<OwnBranch>()
    for (const worktree of yield* git.worktrees(repository)) {
      const { branch, path } = worktree
      const jobId = yield* over(branch, options)
      if (Option.isNone(jobId)) continue
      const reason = options.discard === true ? undefined : yield* uncommitted(repository, worktree)
      if (reason === undefined) {
        yield* attempt(path, worktrees, git.removeWorktree(repository, path))
      } else {
        occupied.add(branch)
        kept.push({ name: path, jobId: jobId.value, reason })
      }
    }

    const holders: Array<ObjectId> = []
    const candidates: Array<Candidate> = []
    for (const { branch, commit, own } of yield* git.branches(repository)) {
      const jobId = Option.isSome(own) ? yield* over(own.value, options) : Option.none()
      if (Option.isNone(own) || Option.isNone(jobId)) holders.push(commit)
      else if (!occupied.has(own.value)) candidates.push({ branch: own.value, commit, jobId: jobId.value })
      else {
        holders.push(commit)
        kept.push({ name: branch, jobId: jobId.value, reason: "it is checked out in a worktree that is kept" })
      }
    }
    // A result holds what its units have done: where it stays, they need not.
    for (const { branch, commit, jobId } of [...candidates].sort(resultsFirst)) {
      const unheld = options.discard === true ? 0 : yield* git.unheld(repository, commit, holders)
      if (unheld === 0) {
        yield* attempt(branch, branches, git.deleteBranch(repository, branch, commit))
      } else {
        holders.push(commit)
        kept.push({ name: branch, jobId, reason: `no other branch holds its last ${count(unheld, "commit")}` })
      }
    }
    return { repository: repository.topLevel, worktrees, branches, kept, problems }
  }).pipe(
    Effect.catchAll((error) =>
      error._tag === "StoreError"
        ? error
        : Effect.succeed({ ...nothing(repository.topLevel), problems: [error.message] })
    )
  )

interface Candidate {
  readonly branch: OwnBranch
  readonly commit: ObjectId
  readonly jobId: JobId
}

const resultsFirst = (a: Candidate, b: Candidate): number =>
  Number(b.branch === resultBranch(b.jobId)) - Number(a.branch === resultBranch(a.jobId))

const count = (number: number, what: string): string =>
  `${number === 1 ? "" : `${number} `}${what}${number === 1 ? "" : "s"}`

/** Why a worktree stays: there are files in it that no commit has. */
const uncommitted = (repository: Repository, worktree: Worktree) =>
  Effect.gen(function* () {
    if (Option.isNone(yield* fs.stat(worktree.path))) return undefined
    const git = yield* Git
    const status = yield* Effect.either(git.status(repository, worktree))
    if (status._tag === "Left") return `it is not known what is in it: ${status.left.message}`
    const { changed } = status.right
    return changed.length === 0 ? undefined : `it has uncommitted changes: ${files(changed)}`
  })

const shown = 3

const files = (changed: ReadonlyArray<string>): string =>
  [...changed.slice(0, shown), ...(changed.length > shown ? [`${changed.length - shown} more`] : [])].join(", ")

/** The job that made a branch, if it is one of ours and has ended, and is to be pruned. */
const over = (
  branch: OwnBranch,
  { jobs, olderThan }: Options
): Effect.Effect<Option.Option<JobId>, StoreError, RunStore> =>
  Effect.gen(function* () {
    const store = yield* RunStore
    const id = Schema.decodeUnknownOption(JobId)(branch.split("/")[1])
    if (Option.isNone(id) || jobs?.includes(id.value) === false) return Option.none()
    const run = yield* store.get(id.value)
    if (Option.isNone(run) || !isTerminal(run.value.status)) return Option.none()
    if (olderThan !== undefined) {
      const latest = DateTime.subtractDuration(yield* DateTime.now, olderThan)
      if (run.value.endedAt === undefined || DateTime.greaterThan(run.value.endedAt, latest)) return Option.none()
    }
    const submission = Option.getOrUndefined(yield* store.submission(id.value))
    return Option.as(yield* Effect.option(PlanSnapshot.decode(submission)), id.value)
  })
