/**
 * `charlotte prune`: removes what jobs that are over have left behind.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Effect } from "effect"
import * as Host from "../../daemon/Host.js"
import { version } from "../../http/Version.js"
import { RunStore } from "../../store/RunStore.js"
import * as Git from "../../tasks/Git.js"
import * as Prune from "../../tasks/Prune.js"
import * as JobName from "../JobName.js"
import * as Line from "../Line.js"
import { Output, writeLines } from "../Output.js"
import * as Recorded from "../Recorded.js"
import * as Words from "../Words.js"
import { about, dryRun, job, json } from "./parameters.js"

const results = Options.boolean("results").pipe(
  Options.withDescription("Removes results as well that no branch holds: their work is lost.")
)

export const prune = Command.make(
  "prune",
  { jobs: Args.repeated(job), results, dryRun, json },
  ({ dryRun, json, results, ...given }) =>
    Effect.gen(function* () {
      const recorded = Recorded.make(yield* RunStore)
      const jobs = yield* Effect.forEach(given.jobs, (name) => JobName.find(recorded, name))
      const pruned = yield* Prune.prune({ results, dryRun, ...(jobs.length === 0 ? {} : { jobs }) })
      if (json) return yield* Effect.flatMap(Output, ({ write }) => write(`${JSON.stringify({ pruned })}\n`))
      yield* writeLines(pruned.length === 0 ? [[Line.raw("nothing to remove")]] : pruned.flatMap(lines(dryRun)))
    }).pipe(Effect.provide([Git.layer, Host.store({ what: "run", version })]))
).pipe(
  Command.withDescription(
    about(
      "Removes the worktrees and branches that jobs which are over have left in repositories.",
      "charlotte prune --dry-run"
    )
  )
)

const lines =
  (dryRun: boolean) =>
  ({ branches, kept, problems, repository, worktrees }: Prune.Pruned): ReadonlyArray<Line.Line> => [
    [Line.piece(repository, "strong")],
    ...worktrees.map((path) => [Line.raw(`  ${would(dryRun)}the worktree `), Line.piece(path)]),
    ...branches.map((branch) => [Line.raw(`  ${would(dryRun)}the branch `), Line.piece(branch)]),
    ...kept.map((branch) => [
      Line.raw("  kept the result ", "faint"),
      Line.piece(branch, "faint"),
      Line.raw(", which no target holds; --results removes it as well", "faint")
    ]),
    ...problems.map((problem) => [Line.raw("  ! ", "warn"), Line.piece(problem)]),
    [
      Line.raw(
        `  ${Words.count(worktrees.length, "worktree")} and ${Words.count(branches.length, "branch", "branches")}`,
        "faint"
      )
    ]
  ]

const would = (dryRun: boolean): string => (dryRun ? "would remove " : "removed ")
