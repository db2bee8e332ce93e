/** The tool that removes what ended jobs have left, if the person has allowed that. */
import { Duration, Effect, Option, Schema } from "effect"
import { pruneJobs } from "../prune/pruneJobs.js"
import { captured } from "./captured.js"
import * as inputs from "./inputs.js"
import * as page from "./page.js"
import * as Tool from "./Tool.js"
import * as Untrusted from "./Untrusted.js"

const Names = Schema.Array(Schema.String)

const Printed = Schema.Struct({
  pruned: Schema.Array(
    Schema.Struct({
      worktrees: Names,
      branches: Names,
      snapshots: Names,
      kept: Schema.Array(Schema.Struct({ name: Schema.String, reason: Schema.String })),
      problems: Names
    })
  ),
  records: Schema.Array(Schema.Struct({ runs: Schema.Int }))
})

const sum = (counts: ReadonlyArray<number>): number => counts.reduce((all, count) => all + count, 0)

export const prune = Tool.make({
  name: "prune",
  description:
    "Remove the worktrees, branches and snapshots that ended jobs have left in the repository in which this server was started, and records that retention no longer keeps. Work that exists nowhere else is kept. Call it with dryRun first.",
  hints: Tool.decides,
  input: Schema.Struct({
    dryRun: Schema.Boolean.annotations({ description: "Whether only to show what would be removed." }),
    repo: inputs.repo,
    jobs: inputs.optional(Schema.Array(inputs.job).annotations({ description: "Only what these jobs have left." })),
    olderThanHours: inputs.optional(inputs.number(0, 1_000_000, "Only jobs that ended at least this long ago."))
  }),
  output: Schema.Struct({
    dryRun: Schema.Boolean,
    worktrees: Schema.Int,
    branches: Schema.Int,
    snapshots: Schema.Int,
    records: Schema.Int.annotations({ description: "How many jobs had their records and logs removed." }),
    kept: Schema.Array(Untrusted.Untrusted),
    problems: Schema.Array(Untrusted.Untrusted)
  }),
  run: ({ dryRun, jobs = [], olderThanHours, repo }) =>
    Effect.gen(function* () {
      const references = yield* Effect.forEach(jobs, inputs.reference)
      const { pruned, records } = yield* captured(
        Printed,
        pruneJobs({
          jobs: references,
          repo: Option.fromNullable(repo),
          olderThan: Option.map(Option.fromNullable(olderThanHours), Duration.hours),
          all: false,
          discard: false,
          dryRun,
          yes: !dryRun,
          json: true
        })
      )
      return {
        dryRun,
        worktrees: sum(pruned.map(({ worktrees }) => worktrees.length)),
        branches: sum(pruned.map(({ branches }) => branches.length)),
        snapshots: sum(pruned.map(({ snapshots }) => snapshots.length)),
        records: sum(records.map(({ runs }) => runs)),
        kept: page.fitting(
          pruned.flatMap(({ kept }) => kept.map(({ name, reason }) => Untrusted.line(`${name}: ${reason}`)))
        ),
        problems: page.fitting(pruned.flatMap(({ problems }) => problems.map(Untrusted.line)))
      }
    })
})
