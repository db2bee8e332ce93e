/**
 * Prunes the records of jobs by retention: in the process that holds the home, or in the database if there is none.
 */
import { Effect, Option } from "effect"
import type { PrunedRuns } from "../../domain/Retention.js"
import { RunStore } from "../../store/RunStore.js"
import * as JobTable from "../list/JobTable.js"
import * as JobSource from "../target/JobSource.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { prune, withStore } from "../offline/withStore.js"

export const pruneRecords = (options: { readonly dryRun: boolean }) =>
  Effect.gen(function* () {
    const host = yield* JobSource.host
    if (Option.isSome(host)) return yield* host.value.client.prune(options)
    // A dry run takes no lock, and creates no home.
    const planned = yield* prune(yield* RunStore, { dryRun: true })
    return options.dryRun || planned.length === 0 ? planned : yield* withStore((store) => prune(store, options))
  })

/** How many jobs of a kind are listed. */
const shown = 10

export const lines =
  ({ dryRun }: { readonly dryRun: boolean }) =>
  ({ jobs, kind, runs }: PrunedRuns): ReadonlyArray<StyledLine.Line> => [
    [
      StyledLine.raw(`${dryRun ? "would remove" : "removed"} the records and logs of `),
      StyledLine.raw(`${runs} finished ${runs === 1 ? "job" : "jobs"}`, "strong"),
      ...(kind === JobTable.tasksKind ? [] : [StyledLine.raw(" of kind "), StyledLine.piece(kind)])
    ],
    ...jobs.slice(0, shown).map((id) => [StyledLine.raw(`  ${id}`)]),
    ...(runs > shown ? [[StyledLine.raw(`  and ${runs - shown} more`, "faint")]] : [])
  ]
