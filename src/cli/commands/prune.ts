/**
 * `charlotte prune`: removes what jobs that are over have left behind.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Effect, Option } from "effect"
import { resolve } from "node:path"
import * as Layers from "../../daemon/Layers.js"
import { version } from "../../http/contract/Version.js"
import { RunStore } from "../../store/RunStore.js"
import * as Git from "../../git/Git.js"
import * as Prune from "../../tasks/Prune.js"
import { Confirmation } from "../terminal/Confirmation.js"
import * as JobRef from "../JobRef.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { Output, writeLines } from "../terminal/Output.js"
import * as OfflineJobs from "../offline/OfflineJobs.js"
import { UsageError } from "../parser/UsageError.js"
import * as format from "../terminal/format.js"
import { about, age, dryRun, job, json, repo } from "./parameters.js"

const help = "charlotte prune --help"

const all = Options.boolean("all").pipe(
  Options.withDescription("All jobs, in all repositories in which they have worked (or in that of --repo).")
)

const discard = Options.boolean("discard").pipe(
  Options.withDescription("Removes also work that nothing else holds: it is lost.")
)

const olderThan = age("older-than", "Only of jobs that ended so long ago, such as 12h, 7d or 2w.")

const yes = Options.boolean("yes").pipe(Options.withDescription("Removes without asking."))

export const prune = Command.make(
  "prune",
  { jobs: Args.repeated(job), repo, all, olderThan, discard, dryRun, yes, json },
  ({ all, discard, dryRun, json, olderThan, repo, yes, ...given }) =>
    Effect.gen(function* () {
      // Of a job whose variable is not set, it would be the work of all.
      if (discard && given.jobs.length === 0 && !all) {
        return yield* new UsageError({ problem: "--discard loses work: name the jobs whose it is, or add --all", help })
      }
      const recorded = OfflineJobs.make(yield* RunStore)
      const jobs = yield* Effect.forEach(given.jobs, (name) => JobRef.find(recorded, name))
      const options: Prune.Options = {
        discard,
        ...(jobs.length === 0 ? {} : { jobs }),
        ...(Option.isSome(olderThan) && { olderThan: olderThan.value }),
        ...(Option.isNone(repo) && (all || jobs.length > 0) ? {} : { repository: yield* around(repo) })
      }
      const { write } = yield* Output
      const showJson = (pruned: ReadonlyArray<Prune.Pruned>) => write(`${JSON.stringify({ pruned })}\n`)
      if (!yes) {
        const planned = yield* Prune.prune({ ...options, dryRun: true })
        const removals = planned.flatMap(({ branches, worktrees }) => [...branches, ...worktrees]).length
        if (dryRun || removals === 0) return yield* json ? showJson(planned) : show(planned, { dryRun: true, discard })
        if (!json) yield* show(planned, { dryRun: true, discard })
        const isAgreed = yield* (yield* Confirmation)(`Remove ${discard ? "and lose " : ""}all of this?`)
        if (Option.isNone(isAgreed)) {
          return yield* new UsageError({
            problem: "nobody is there to ask; add --yes, or --dry-run to only look",
            help
          })
        }
        if (!isAgreed.value) return yield* writeLines([[StyledLine.raw("nothing was removed")]])
      }
      const pruned = yield* Prune.prune({ ...options, dryRun })
      yield* json ? showJson(pruned) : show(pruned, { dryRun, discard })
    }).pipe(Effect.provide([Git.layer, Layers.store({ what: "run", version })]))
).pipe(
  Command.withDescription(
    about(
      "Removes the worktrees and branches that jobs which are over have left in this repository. Work that nothing else holds stays.",
      "charlotte prune --older-than 7d --dry-run"
    )
  )
)

/** The repository that one stands in, or has named. */
const around = (repo: Option.Option<string>) =>
  Effect.gen(function* () {
    const git = yield* Git.Git
    const path = yield* Effect.try({
      try: () => resolve(Option.getOrElse(repo, () => ".")),
      catch: () =>
        new UsageError({ problem: "the current directory is not there any more; go to another", help: "pwd" })
    })
    const found = yield* Effect.catchTag(
      git.open(path),
      "NotARepository",
      () => new UsageError({ problem: `${path} is in no git repository; go to one, or add --all`, help })
    )
    return found.topLevel
  })

interface Manner {
  readonly dryRun: boolean
  readonly discard: boolean
}

const show = (pruned: ReadonlyArray<Prune.Pruned>, manner: Manner) =>
  writeLines(pruned.length === 0 ? [[StyledLine.raw("nothing to remove")]] : pruned.flatMap(lines(manner)))

const lines =
  ({ discard, dryRun }: Manner) =>
  ({ branches, kept, problems, repository, worktrees }: Prune.Pruned): ReadonlyArray<StyledLine.Line> => [
    [StyledLine.piece(repository, "strong")],
    ...worktrees.map((path) => [StyledLine.raw(`  ${would(dryRun)}the worktree `), StyledLine.piece(path)]),
    ...branches.map((branch) => [StyledLine.raw(`  ${would(dryRun)}the branch `), StyledLine.piece(branch)]),
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
        `  ${format.count(worktrees.length, "worktree")} and ${format.count(branches.length, "branch", "branches")}`,
        "faint"
      )
    ]
  ]

const command = (kept: ReadonlyArray<Prune.Kept>): string =>
  `charlotte prune --discard ${[...new Set(kept.map(({ jobId }) => jobId))].join(" ")}`

const would = (dryRun: boolean): string => (dryRun ? "would remove " : "removed ")
