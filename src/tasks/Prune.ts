/**
 * Removes what jobs that have ended left in repositories: worktrees, and branches of units. A result stays for as long as no
 * target holds it, unless it is asked for as well.
 *
 * @since 0.1.0
 */
import { Array, Effect, Option, Schema } from "effect"
import type { StoreError } from "../domain/errors.js"
import { JobId } from "../domain/JobId.js"
import { isTerminal } from "../domain/RunStatus.js"
import { RunStore } from "../store/RunStore.js"
import { Git } from "./Git.js"
import type { GitError } from "./git/GitError.js"
import { type ObjectId, type OwnBranch, resultBranch } from "./git/Names.js"
import type { Repository } from "./git/Repository.js"
import * as Submission from "./work/Submission.js"

/** @since 0.1.0 */
export interface Options {
  /** Those jobs only. */
  readonly jobs?: ReadonlyArray<JobId>
  /** Results as well that no target holds: their work is lost. */
  readonly results?: boolean
  /** Only tells what would be removed. */
  readonly dryRun?: boolean
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
  /** Results that stay, since no target holds them. */
  readonly kept: ReadonlyArray<string>
  /** What was in the way. */
  readonly problems: ReadonlyArray<string>
}

/** @since 0.1.0 */
export const prune = Effect.fn("Prune.prune")(function* (options: Options = {}) {
  const git = yield* Git
  const pruned: Array<Pruned> = []
  const seen = new Set<string>()
  for (const path of yield* repositories) {
    const repository = yield* Effect.either(git.open(path))
    if (repository._tag === "Left") {
      pruned.push({ ...nothing(path), problems: [repository.left.message] })
    } else if (!seen.has(repository.right.identity)) {
      seen.add(repository.right.identity)
      pruned.push(yield* inRepository(repository.right, options))
    }
  }
  return pruned.filter(({ branches, kept, problems, worktrees }) =>
    [branches, kept, problems, worktrees].some(Array.isNonEmptyReadonlyArray)
  )
})

const nothing = (repository: string): Pruned => ({ repository, worktrees: [], branches: [], kept: [], problems: [] })

const pageSize = 500

/** Where jobs have worked. */
const repositories: Effect.Effect<ReadonlySet<string>, StoreError, RunStore> = Effect.gen(function* () {
  const store = yield* RunStore
  const paths = new Set<string>()
  let before: JobId | undefined
  do {
    const page = yield* store.list({ limit: pageSize, ...(before === undefined ? {} : { before }) })
    for (const { config } of page) for (const path of Option.toArray(repoPath(config))) paths.add(path)
    before = page.at(-1)?.id
  } while (before !== undefined)
  return paths
})

const Config = Schema.Struct({ repoPath: Schema.String })

const repoPath = (config: unknown): Option.Option<string> =>
  Option.map(Schema.decodeUnknownOption(Config)(config), ({ repoPath }) => repoPath)

const inRepository = (repository: Repository, options: Options) =>
  Effect.gen(function* () {
    const git = yield* Git
    const report = { worktrees: Array.empty<string>(), branches: Array.empty<string>(), kept: Array.empty<string>() }
    const problems: Array<string> = []
    const attempt = (what: string, into: Array<string>, removal: Effect.Effect<void, GitError>) =>
      Effect.matchEffect(options.dryRun === true ? Effect.void : removal, {
        onSuccess: () => Effect.sync(() => void into.push(what)),
        onFailure: ({ message }) => Effect.sync(() => void problems.push(message))
      })

    for (const { branch, path } of yield* git.worktrees(repository)) {
      if (Option.isSome(yield* over(branch, options)))
        yield* attempt(path, report.worktrees, git.removeWorktree(repository, path))
    }
    for (const { branch, commit } of yield* git.ownBranches(repository)) {
      const submission = yield* over(branch, options)
      if (Option.isNone(submission)) continue
      const isResult = branch === resultBranch(submission.value.id)
      if (isResult && options.results !== true && !(yield* isLanded(repository, submission.value, commit)))
        report.kept.push(branch)
      else yield* attempt(branch, report.branches, git.deleteBranch(repository, branch))
    }
    return { repository: repository.topLevel, ...report, problems }
  }).pipe(
    Effect.catchAll((error) =>
      error._tag === "StoreError"
        ? error
        : Effect.succeed({ ...nothing(repository.topLevel), problems: [error.message] })
    )
  )

interface Over {
  readonly id: JobId
  readonly submission: Submission.Submission
}

/** The job that made a branch, if it is one of ours and has ended, and is to be pruned. */
const over = (branch: OwnBranch, { jobs }: Options): Effect.Effect<Option.Option<Over>, StoreError, RunStore> =>
  Effect.gen(function* () {
    const store = yield* RunStore
    const id = Schema.decodeUnknownOption(JobId)(branch.split("/")[1])
    if (Option.isNone(id) || jobs?.includes(id.value) === false) return Option.none()
    const run = yield* store.get(id.value)
    if (!Option.exists(run, ({ status }) => isTerminal(status))) return Option.none()
    const kept = yield* store.submission(id.value)
    const submission = yield* Effect.option(Submission.decode(Option.getOrUndefined(kept)))
    return Option.map(submission, (submission) => ({ id: id.value, submission }))
  })

const isLanded = (repository: Repository, { submission }: Over, commit: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    const target = yield* git.resolve(repository, submission.target)
    return yield* git.isAncestor(repository, commit, target)
  }).pipe(Effect.catchTag("BranchMissing", () => Effect.succeed(false)))
