/**
 * `charlotte prune`: removes worktrees and branches that ended jobs left, and only then the records that retention no longer keeps:
 * without its job's record, a branch cannot be attributed.
 */
import { type Duration, Effect, Layer, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { RunStore } from "../../store/RunStore.js"
import * as Git from "../../git/Git.js"
import type { PrunedRuns } from "../../domain/Retention.js"
import * as Prune from "../../tasks/Prune.js"
import { acting } from "../act/acting.js"
import { sender } from "../act/sender.js"
import { Confirmation } from "../terminal/Confirmation.js"
import * as JobTable from "../list/JobTable.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import * as OfflineJobs from "../offline/OfflineJobs.js"
import { prune } from "../offline/OfflineActs.js"
import { UsageError } from "../parser/UsageError.js"
import { directoryOf } from "../start/resolveTasksDir.js"
import * as format from "../terminal/format.js"

const hint = "see: charlotte prune --help"

export interface Options {
  readonly jobs: ReadonlyArray<string>
  readonly repo: Option.Option<string>
  readonly all: boolean
  readonly olderThan: Option.Option<Duration.Duration>
  readonly discard: boolean
  readonly dryRun: boolean
  readonly yes: boolean
  readonly json: boolean
}

export const pruneJobs = ({ all, discard, dryRun, json, olderThan, repo, yes, ...given }: Options) =>
  Effect.gen(function* () {
    // Without jobs it would apply to all of them, which an unset variable in the command line must not do.
    if (discard && given.jobs.length === 0 && !all) {
      return yield* new UsageError({ problem: "--discard loses work; name the jobs, or add --all", hint })
    }
    const recorded = OfflineJobs.make(yield* RunStore)
    const jobs = yield* Effect.forEach(given.jobs, (name) => JobRef.find(recorded, name))
    const options: Prune.Options = {
      directory: (yield* Home.Home).directory,
      discard,
      ...(jobs.length === 0 ? {} : { jobs }),
      ...(Option.isSome(olderThan) && { olderThan: olderThan.value }),
      ...(Option.isNone(repo) && (all || jobs.length > 0) ? {} : { repository: yield* around(repo) })
    }
    // Filters apply only to worktrees and branches.
    const isFiltered = jobs.length > 0 || Option.isSome(olderThan)
    const pruneAll = (dryRun: boolean) =>
      Effect.gen(function* () {
        const pruned = yield* Prune.prune({ ...options, dryRun })
        return { pruned, records: isFiltered ? [] : yield* pruneRecords({ dryRun }) }
      })
    if (!yes) {
      const planned = yield* pruneAll(true)
      const removals = planned.pruned.flatMap(({ branches, snapshots, worktrees }) => [
        ...branches,
        ...snapshots,
        ...worktrees
      ]).length
      const isNothing = removals + planned.records.length === 0
      if (dryRun || isNothing) return yield* json ? writeJson(planned) : show(planned, { dryRun: true, discard })
      if (!json) yield* show(planned, { dryRun: true, discard })
      const isAgreed = yield* (yield* Confirmation)(`Remove ${discard ? "and lose " : ""}all of this?`)
      if (Option.isNone(isAgreed)) {
        return yield* new UsageError({
          problem: "cannot ask for confirmation without a terminal; add --yes, or --dry-run to only look",
          hint
        })
      }
      if (!isAgreed.value) return yield* writeLines([[StyledLine.raw("nothing was removed")]])
    }
    const pruned = yield* pruneAll(dryRun)
    yield* json ? writeJson(pruned) : show(pruned, { dryRun, discard })
  }).pipe(Effect.provide(Layer.provideMerge(Layer.merge(Git.layer, recordedRuns), Home.layerUntouched)))

/** An ended job has no process, so the process that runs other jobs need not be queried. */
const recordedRuns = Layer.scoped(RunStore, OfflineJobs.store)

/** The repository of the current directory, or of --repo. */
const around = (repo: Option.Option<string>) =>
  Effect.gen(function* () {
    const git = yield* Git.Git
    const path = yield* directoryOf(repo)
    const found = yield* Effect.catchTag(
      git.open(path),
      "NotARepository",
      () => new UsageError({ problem: `${path} is not in a git repository; change to one, or add --all`, hint })
    )
    return found.topLevel
  })

interface Manner {
  readonly dryRun: boolean
  readonly discard: boolean
}

interface All {
  readonly pruned: ReadonlyArray<Prune.Pruned>
  readonly records: ReadonlyArray<PrunedRuns>
}

const show = ({ pruned, records }: All, manner: Manner) => {
  const all = [...pruned.flatMap(lines(manner)), ...records.flatMap(recordLines(manner))]
  return writeLines(all.length === 0 ? [[StyledLine.raw("nothing to remove")]] : all)
}

const lines =
  ({ discard, dryRun }: Manner) =>
  ({ branches, kept, problems, repository, snapshots, worktrees }: Prune.Pruned): ReadonlyArray<StyledLine.Line> => [
    [StyledLine.piece(repository, "strong")],
    ...worktrees.map((path) => [StyledLine.raw(`  ${would(dryRun)}the worktree `), StyledLine.piece(path)]),
    ...branches.map((branch) => [StyledLine.raw(`  ${would(dryRun)}the branch `), StyledLine.piece(branch)]),
    ...snapshots.map((path) => [StyledLine.raw(`  ${would(dryRun)}the snapshots in `), StyledLine.piece(path)]),
    ...kept.map(({ name, reason }) => [
      StyledLine.raw(dryRun ? "  would keep " : "  kept ", "faint"),
      StyledLine.piece(name, "faint"),
      StyledLine.piece(`: ${reason}`, "faint")
    ]),
    ...problems.map((problem) => [StyledLine.raw("  ! ", "warn"), StyledLine.piece(problem)]),
    ...(kept.length === 0 || discard
      ? []
      : [[StyledLine.raw(`  to remove what is kept, and lose it: ${command(kept)}`, "faint")]]),
    [
      StyledLine.raw(
        `  ${format.count(worktrees.length, "worktree")} and ${format.count(branches.length, "branch", "branches")}` +
          (snapshots.length === 0 ? "" : `, and snapshots of ${format.count(snapshots.length, "unit")}`),
        "faint"
      )
    ]
  ]

const command = (kept: ReadonlyArray<Prune.Kept>): string =>
  `charlotte prune --discard ${[...new Set(kept.map(({ jobId }) => jobId))].join(" ")}`

const would = (dryRun: boolean): string => (dryRun ? "would remove " : "removed ")

/** Prunes the records of jobs by retention: in the process that holds the home, or in the database if there is none. */
const pruneRecords = (options: { readonly dryRun: boolean }) =>
  Effect.gen(function* () {
    const host = yield* JobSource.host
    if (Option.isSome(host)) return yield* host.value.client.prune({ ...options, by: sender() })
    // A dry run takes no lock, and creates no home.
    const planned = yield* prune(yield* RunStore, { dryRun: true })
    return options.dryRun || planned.length === 0 ? planned : yield* acting((jobs) => jobs.prune(options))
  })

/** How many jobs of a kind are listed. */
const shown = 10

const recordLines =
  ({ dryRun }: Manner) =>
  ({ jobs, kind, runs }: PrunedRuns): ReadonlyArray<StyledLine.Line> => [
    [
      StyledLine.raw(`${would(dryRun)}the records and logs of `),
      StyledLine.raw(`${runs} finished ${runs === 1 ? "job" : "jobs"}`, "strong"),
      ...(kind === JobTable.tasksKind ? [] : [StyledLine.raw(" of kind "), StyledLine.piece(kind)])
    ],
    ...jobs.slice(0, shown).map((id) => [StyledLine.raw(`  ${id}`)]),
    ...(runs > shown ? [[StyledLine.raw(`  and ${runs - shown} more`, "faint")]] : [])
  ]
