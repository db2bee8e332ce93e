/**
 * `charlotte retry`: starts new jobs that retry others. A single one is followed to its end.
 */
import { Array, Effect, Option, Schema } from "effect"
import { type Conflicts, JobConfig } from "../../domain/JobConfig.js"
import { retryConfig } from "../../domain/retryConfig.js"
import * as retryJobs from "../act/retryJobs.js"
import { sender } from "../act/sender.js"
import { isFiltered as hasFilter } from "../act/severalJobs.js"
import * as JobTable from "../list/JobTable.js"
import { UsageError } from "../parser/UsageError.js"
import * as JobRef from "../target/JobRef.js"
import type { Manager } from "../target/JobSource.js"
import { withCallerSpan } from "../target/withCallerSpan.js"
import * as startAndFollow from "./startAndFollow.js"

export interface Options extends retryJobs.Filter {
  readonly jobs: ReadonlyArray<string>
  readonly target: Option.Option<string>
  readonly unit: ReadonlyArray<string>
  readonly fresh: boolean
  readonly conflicts: Option.Option<Conflicts>
  readonly again: boolean
  readonly json: boolean
}

const hint = "see: charlotte retry --help"

export const retryJob = (options: Options) =>
  Effect.gen(function* () {
    const { jobs, json } = options
    const isFiltered = hasFilter(options)
    if (isFiltered !== (jobs.length === 0)) {
      const problem = isFiltered ? "give either jobs or filters, not both" : "missing argument <job>, or a filter"
      return yield* new UsageError({ problem, hint })
    }
    const [job, ...others] = jobs
    if (job !== undefined && others.length === 0) {
      return yield* startAndFollow.follow({
        begin: (manager) => Effect.map(retryOne(manager, job, options), (id) => ({ id })),
        json
      })
    }
    if (isOfTasks(options)) {
      return yield* new UsageError({ problem: "--unit, --target and --conflicts are for a single job", hint })
    }
    return yield* isFiltered ? retryJobs.matching(options) : retryJobs.each(options)
  })

const isOfTasks = ({ conflicts, target, unit }: Options): boolean =>
  unit.length > 0 || Option.isSome(target) || Option.isSome(conflicts)

const retryOne = (jobs: Manager, name: string, options: Options) =>
  Effect.gen(function* () {
    const { again, conflicts, fresh, target, unit } = options
    const id = yield* JobRef.find(jobs, name)
    const { config: before, kind } = yield* jobs.get(id)
    if (kind !== JobTable.tasksKind) {
      if (!isOfTasks(options)) return yield* jobs.retry(id, { again, fresh, by: sender() })
      return yield* new UsageError({
        problem: `--unit, --target and --conflicts are for jobs of tasks, and ${id} is of kind ${kind}`,
        hint
      })
    }
    // A retry of the same job with other units, or for another target, is another job.
    const config = yield* Effect.orDie(Schema.decodeUnknown(JobConfig)(before))
    const retried = {
      ...retryConfig(config, { id, fresh }),
      targetBranch: Option.getOrElse(target, () => config.targetBranch),
      conflicts: Option.getOrElse(conflicts, () => config.conflicts),
      ...(Array.isNonEmptyReadonlyArray(unit) && { units: unit })
    }
    const encoded = yield* Effect.orDie(Schema.encode(JobConfig)(new JobConfig(retried)))
    return yield* withCallerSpan(jobs.start(encoded))
  })
