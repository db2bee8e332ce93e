/**
 * Removes the worktrees and branches that ended jobs left in repositories, and the snapshots of their unfinished work. Work that exists
 * nowhere else is kept, unless it is discarded explicitly.
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
import * as Worktrees from "../git/Worktrees.js"
import * as JobDirectories from "./JobDirectories.js"
import * as Snapshots from "./Snapshots.js"
import * as PlanSnapshot from "./run/PlanSnapshot.js"

/**
 * What to prune.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** A path in the repository to prune; defaults to all repositories of the recorded jobs. */
  readonly repository?: string
  /** Only these jobs. */
  readonly jobs?: ReadonlyArray<JobId>
  /** The `directory` of `TaskOrchestrator.layer`, to find what unrecorded jobs have left there. */
  readonly directory?: string
  /** Only jobs that ended at least this long ago; excludes unrecorded jobs, whose end is unknown. */
  readonly olderThan?: Duration.DurationInput
  /** Also removes work that exists nowhere else; it is lost. */
  readonly discard?: boolean
  /** Only reports what would be removed. */
  readonly dryRun?: boolean
}

/**
 * A worktree, branch or directory of snapshots that was kept, and why.
 *
 * @since 0.1.0
 * @category models
 */
export interface Kept {
  /** A branch, or the path of a worktree or of a directory of snapshots. */
  readonly name: string
  /** The job that created it. */
  readonly jobId: JobId
  readonly reason: string
}

/**
 * The result for one repository.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pruned {
  readonly repository: string
  readonly worktrees: ReadonlyArray<string>
  readonly branches: ReadonlyArray<string>
  /** Directories, each with the snapshots of the unfinished work of a unit. */
  readonly snapshots: ReadonlyArray<string>
  /** Kept, since work would be lost. */
  readonly kept: ReadonlyArray<Kept>
  /** Messages of what failed. */
  readonly problems: ReadonlyArray<string>
}

/**
 * Removes worktrees and branches of ended jobs; returns a report for each repository. Problems of single repositories are part of
 * the report; only a `StoreError` fails it.
 *
 * @since 0.1.0
 * @category pruning
 */
export const prune = Effect.fn("Prune.prune")(function* (options: Options = {}) {
  const git = yield* Git
  const reports = new Map<string, Pruned>()
  /** The key of the report about the repository at each path: several paths may lead to one repository. */
  const keys = new Map<string, string>()
  for (const path of yield* repositories(options)) {
    const repository = yield* Effect.either(git.open(path))
    if (repository._tag === "Left") {
      keys.set(path, path)
      reports.set(path, { ...nothing(path), problems: [repository.left.message] })
    } else {
      const key = repository.right.place
      keys.set(path, key)
      if (!reports.has(key)) reports.set(key, yield* inRepository(repository.right, options))
    }
  }
  for (const [path, units] of yield* unitsWithSnapshots(options)) {
    const key = keys.get(path) ?? (yield* placeOf(path))
    const report = reports.get(key) ?? nothing(path)
    if (options.repository !== undefined && !reports.has(key)) continue
    reports.set(key, yield* withoutSnapshots(report, units, options))
  }
  yield* removeDirectories(
    options,
    new Map(
      [...keys].flatMap(([path, key]) =>
        Option.toArray(Option.map(Option.fromNullable(reports.get(key)), (report) => [path, report] as const))
      )
    )
  )
  return [...reports.values()].filter(
    ({ branches, kept, problems, snapshots, worktrees }) =>
      branches.length + kept.length + problems.length + snapshots.length + worktrees.length > 0
  )
})

/** Removes something, except in a dry run, and reports it in `into`, or its failure in `problems`. */
const removing =
  ({ dryRun }: Options, problems: Array<string>) =>
  (what: string, into: Array<string>, removal: Effect.Effect<void, GitError>) =>
    Effect.matchEffect(dryRun === true ? Effect.void : removal, {
      onSuccess: () => Effect.sync(() => void into.push(what)),
      onFailure: ({ message }) => Effect.sync(() => void problems.push(message))
    })

/** What identifies the repository at a path, even if it is gone. */
const placeOf = (path: string) =>
  Effect.flatMap(Git, (git) => git.open(path)).pipe(
    Effect.map(({ place }) => place),
    Effect.orElseSucceed(() => path)
  )

interface UnitWithSnapshots {
  readonly id: JobId
  readonly unit: string
  readonly path: string
}

/** The units that have snapshots, by the path of their repository. */
const unitsWithSnapshots = ({
  directory,
  jobs
}: Options): Effect.Effect<ReadonlyMap<string, Array<UnitWithSnapshots>>> =>
  Effect.gen(function* () {
    const found = new Map<string, Array<UnitWithSnapshots>>()
    if (directory === undefined) return found
    for (const id of jobs ?? (yield* JobDirectories.jobs(directory)))
      for (const { path, unit } of yield* JobDirectories.snapshots(directory, id)) {
        const [first] = yield* Effect.orElseSucceed(Snapshots.list(path), () => [])
        // Without a record it is only half written.
        const repository = first?.record.repository ?? directory
        found.set(repository, [...(found.get(repository) ?? []), { id, unit, path }])
      }
    return found
  })

/** Removes the snapshots of units of ended jobs, and adds them to a report. */
const withoutSnapshots = (report: Pruned, units: ReadonlyArray<UnitWithSnapshots>, options: Options) =>
  Effect.gen(function* () {
    const store = yield* RunStore
    const [snapshots, kept, problems]: [Array<string>, Array<Kept>, Array<string>] = [[], [], []]
    for (const { id, path, unit } of units) {
      const job = yield* endedJob(id, options)
      if (Option.isNone(job)) continue
      const record = (yield* store.work.of(id)).units.find((record) => record.unit === unit)
      if (options.discard !== true && record?.state !== "merged") {
        kept.push(keep(job.value, path, "it has snapshots of unfinished work"))
      } else {
        yield* removing(options, problems)(path, snapshots, fs.remove(path))
      }
    }
    return {
      ...report,
      snapshots,
      kept: [...report.kept, ...kept],
      problems: [...report.problems, ...problems]
    }
  })

/** Removes the directories of unrecorded jobs that have left nothing in their repository. */
const removeDirectories = (
  { directory, dryRun, jobs, olderThan }: Options,
  reports: ReadonlyMap<string, Pruned>
): Effect.Effect<void, StoreError, RunStore> =>
  Effect.gen(function* () {
    if (directory === undefined || dryRun === true || jobs !== undefined || olderThan !== undefined) return
    const store = yield* RunStore
    for (const id of yield* JobDirectories.jobs(directory)) {
      const path = yield* JobDirectories.repositoryOf(directory, id)
      const report = Option.flatMapNullable(path, (path) => reports.get(path))
      const isEmpty = Option.exists(
        report,
        ({ kept, problems }) => problems.length === 0 && kept.every(({ jobId }) => jobId !== id)
      )
      if (isEmpty && Option.isNone(yield* store.get(id))) yield* JobDirectories.removeEmpty(directory, id)
    }
  })

const nothing = (repository: string): Pruned => ({
  repository,
  worktrees: [],
  branches: [],
  snapshots: [],
  kept: [],
  problems: []
})

const pageSize = 500

/** The repositories of these jobs, or of all jobs. */
const repositories = ({
  directory,
  jobs,
  repository
}: Options): Effect.Effect<ReadonlySet<string>, StoreError, RunStore> =>
  Effect.gen(function* () {
    if (repository !== undefined) return new Set([repository])
    const store = yield* RunStore
    const paths = new Set<string>()
    const add = ({ config }: Run) => {
      for (const path of Option.toArray(repoPath(config))) paths.add(path)
    }
    if (directory !== undefined)
      for (const id of jobs ?? (yield* JobDirectories.jobs(directory)))
        Option.map(yield* JobDirectories.repositoryOf(directory, id), (path) => paths.add(path))
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
    const remove = removing(options, problems)

    const occupied = new Set<OwnBranch>()
    for (const worktree of yield* git.worktrees(repository)) {
      const { branch, path } = worktree
      const job = yield* endedJobOf(branch, options)
      if (Option.isNone(job)) continue
      const reason = options.discard === true ? undefined : yield* uncommitted(repository, worktree)
      if (reason === undefined) {
        yield* remove(path, worktrees, git.removeWorktree(repository, path))
      } else {
        occupied.add(branch)
        kept.push(keep(job.value, path, reason))
      }
    }

    const keptCommits: Array<ObjectId> = []
    const candidates: Array<Candidate> = []
    for (const { branch, commit, own } of yield* git.branches(repository)) {
      const job = Option.isSome(own) ? yield* endedJobOf(own.value, options) : Option.none()
      if (Option.isNone(own) || Option.isNone(job)) keptCommits.push(commit)
      else if (!occupied.has(own.value)) candidates.push({ branch: own.value, commit, job: job.value })
      else {
        keptCommits.push(commit)
        kept.push(keep(job.value, branch, "it is checked out in a worktree that is kept"))
      }
    }
    // A result contains the commits of its units, so if it is kept, they need not be.
    for (const { branch, commit, job } of [...candidates].sort(resultsFirst)) {
      const unmerged = options.discard === true ? 0 : yield* git.unheld(repository, commit, keptCommits)
      if (unmerged === 0) {
        yield* remove(branch, branches, git.deleteBranch(repository, branch, commit))
      } else {
        keptCommits.push(commit)
        kept.push(keep(job, branch, `no other branch contains its last ${count(unmerged, "commit")}`))
      }
    }
    return { ...nothing(repository.topLevel), worktrees, branches, kept, problems }
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
  readonly job: EndedJob
}

/** An ended job, which may no longer be recorded. */
interface EndedJob {
  readonly id: JobId
  readonly isRecorded: boolean
}

const keep = ({ id, isRecorded }: EndedJob, name: string, reason: string): Kept => ({
  name,
  jobId: id,
  reason: isRecorded ? reason : `${reason}, and its job is no longer recorded`
})

const resultsFirst = (a: Candidate, b: Candidate): number =>
  Number(b.branch === resultBranch(b.job.id)) - Number(a.branch === resultBranch(a.job.id))

const count = (number: number, what: string): string =>
  `${number === 1 ? "" : `${number} `}${what}${number === 1 ? "" : "s"}`

/** Why a worktree is kept: it has uncommitted changes, or they cannot be determined. */
const uncommitted = (repository: Repository, worktree: Worktrees.Worktree) =>
  Effect.gen(function* () {
    if (Option.isNone(yield* fs.stat(worktree.path)) || !(yield* Worktrees.isPopulated(worktree))) return undefined
    const git = yield* Git
    const status = yield* Effect.either(git.status(repository, worktree))
    if (status._tag === "Left") return `its status is unknown: ${status.left.message}`
    const { changed } = status.right
    return changed.length === 0 ? undefined : `it has uncommitted changes: ${files(changed)}`
  })

const shown = 3

const files = (changed: ReadonlyArray<string>): string =>
  [...changed.slice(0, shown), ...(changed.length > shown ? [`${changed.length - shown} more`] : [])].join(", ")

/** The task job that created a branch, if it has ended and matches the options. */
const endedJobOf = (branch: OwnBranch, options: Options) =>
  Option.match(Schema.decodeUnknownOption(JobId)(branch.split("/")[1]), {
    onNone: () => Effect.succeedNone,
    onSome: (id) => endedJob(id, options)
  })

/** A task job, if it has ended and matches the options. */
const endedJob = (
  id: JobId,
  { directory, jobs, olderThan }: Options
): Effect.Effect<Option.Option<EndedJob>, StoreError, RunStore> =>
  Effect.gen(function* () {
    const store = yield* RunStore
    if (jobs?.includes(id) === false) return Option.none()
    const run = yield* store.get(id)
    if (Option.isNone(run)) {
      // Only ended jobs are removed from the store. Without a directory here, the job may belong to another home.
      const isOurs = directory !== undefined && (yield* JobDirectories.has(directory, id))
      return isOurs && olderThan === undefined ? Option.some({ id, isRecorded: false }) : Option.none()
    }
    if (!isTerminal(run.value.status)) return Option.none()
    if (olderThan !== undefined) {
      const latest = DateTime.subtractDuration(yield* DateTime.now, olderThan)
      if (run.value.endedAt === undefined || DateTime.greaterThan(run.value.endedAt, latest)) return Option.none()
    }
    const snapshot = Option.getOrUndefined(yield* store.submission(id))
    return Option.as(yield* Effect.option(PlanSnapshot.decode(snapshot)), { id, isRecorded: true })
  })
