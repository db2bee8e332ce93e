/**
 * `charlotte prune`: removes what jobs that are over have left behind.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import type { Effect } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { about, dryRun, jobId, json } from "./parameters.js"

export interface Given {
  /** Those jobs only; all of them if there are none. */
  readonly jobs: ReadonlyArray<JobId>
  readonly results: boolean
  readonly dryRun: boolean
  readonly json: boolean
}

const results = Options.boolean("results").pipe(
  Options.withDescription("Removes results as well that no branch holds: their work is lost.")
)

export const make = <E, R>(prune: (given: Given) => Effect.Effect<void, E, R>) =>
  Command.make("prune", { jobs: Args.repeated(jobId), results, dryRun, json }, prune).pipe(
    Command.withDescription(
      about(
        "Removes the worktrees and branches that jobs which are over have left in repositories.",
        "charlotte prune --dry-run"
      )
    )
  )
