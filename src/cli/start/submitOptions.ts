/**
 * The config of a job, from the options that describe it.
 */
import { Array, Effect, Option } from "effect"
import { Home } from "../../daemon/home/Home.js"
import { type Conflicts, JobConfig, type Landing } from "../../domain/JobConfig.js"
import { Git } from "../../git/Git.js"
import type { Repository } from "../../git/Repository.js"
import * as resolveTasksDir from "./resolveTasksDir.js"
import * as PlanTree from "../show/PlanTree.js"
import { UsageError } from "../parser/UsageError.js"

export interface Given extends resolveTasksDir.Given {
  readonly unit: ReadonlyArray<string>
  readonly target: Option.Option<string>
  readonly agent: Option.Option<string>
  readonly concurrency: Option.Option<number>
  readonly land: Option.Option<Landing>
  readonly noLand: boolean
  readonly conflicts: Option.Option<Conflicts>
  readonly dryRun: boolean
  readonly labels: ReadonlyArray<readonly [name: string, value: string]>
}

export interface Options extends Given {
  readonly json: boolean
}

export const read = (given: Given) =>
  Effect.gen(function* () {
    const { repository, tasksDir } = yield* resolveTasksDir.find(given)
    return {
      repoPath: repository.topLevel,
      tasksDir,
      targetBranch: Option.isSome(given.target) ? given.target.value : yield* checkedOut(repository),
      dryRun: given.dryRun,
      land: given.noLand ? false : Option.getOrElse(given.land, () => true),
      labels: Object.fromEntries(given.labels),
      ...(Array.isNonEmptyReadonlyArray(given.unit) && { units: given.unit }),
      ...Option.match(given.concurrency, { onNone: () => ({}), onSome: (concurrency) => ({ concurrency }) }),
      ...Option.match(given.conflicts, { onNone: () => ({}), onSome: (conflicts) => ({ conflicts }) }),
      ...Option.match(given.agent, { onNone: () => ({}), onSome: (agent) => ({ agent }) })
    }
  })

const checkedOut = (repository: Repository) =>
  Effect.flatMap(Git, (git) =>
    Effect.flatMap(git.head(repository), (head) =>
      head._tag === "Detached"
        ? new UsageError({
            problem: "HEAD is detached, so there is no branch to land on",
            hint: "name one with --target"
          })
        : Effect.succeed(head.branch)
    )
  )

/** Shows what the job would do, or everything that prevents it. */
export const show = (config: Effect.Effect.Success<ReturnType<typeof read>>, json: boolean) =>
  Effect.gen(function* () {
    const [preflight, Tasks] = yield* Effect.promise(() =>
      Promise.all([import("../../tasks/run/preflight.js"), import("../../daemon/layers/TaskLayers.js")])
    )
    const job = new JobConfig({ concurrency: 4, ...config })
    const { plan } = yield* Effect.flatMap(Home, ({ directory }) => preflight.read(job, directory)).pipe(
      Effect.provide(Tasks.check)
    )
    yield* PlanTree.write(plan, json, config.conflicts)
  })
