/**
 * The orchestrator that works through a directory of tasks: one unit after another, in a worktree of its own outside the
 * repository, with one commit for each task whose backpressure command passes. The work is left on a result branch.
 *
 * @since 0.1.0
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Context, Effect, Layer, Option, type Scope } from "effect"
import type { JobConfig } from "../domain/JobConfig.js"
import { type JobContext, Orchestrator } from "../manager/Orchestrator.js"
import { Git } from "./Git.js"
import { type ObjectId, resultBranch } from "./git/Names.js"
import { diffCommand } from "./git/Shell.js"
import type { Task, Unit } from "./plan/Plan.js"
import { ProcessRunner } from "./ProcessRunner.js"
import * as Submission from "./work/Submission.js"
import { type TaskFailure, TasksFailed } from "./work/TaskFailure.js"
import * as TaskWork from "./work/TaskWork.js"
import * as Workplace from "./work/Workplace.js"

/** @since 0.1.0 */
export interface Options {
  /** An absolute path outside any repository: worktrees and logs of jobs are kept below it. */
  readonly directory: string
}

/**
 * What a job of tasks comes to.
 *
 * @since 0.1.0
 */
export interface Summary {
  readonly branch: string
  /** The command that shows what was done. */
  readonly diff: string
  readonly units: number
  readonly tasks: number
  /** Tasks that were complete when the job was submitted. */
  readonly skipped: number
}

type Services = Git | ProcessRunner | FileSystem | Path

/**
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<Orchestrator, never, Services> =>
  Layer.effect(
    Orchestrator,
    // Only these: with all that is around, a job would get the scope of the layer in place of its own.
    Effect.map(Effect.map(Effect.context<Services>(), Context.pick(Git, ProcessRunner, FileSystem, Path)), (context) =>
      Orchestrator.of({
        check: (config) =>
          Effect.map(Effect.provide(Submission.read(config), context), (submission) =>
            config.dryRun ? {} : { key: Submission.key(submission) }
          ),
        run: (job) => Effect.provide(run(options, job), context),
        recover: (id) =>
          Effect.provide(
            Effect.flatMap(ProcessRunner, (runner) => runner.recover(id)),
            context
          )
      })
    )
  )

const run = (
  { directory }: Options,
  job: JobContext<JobConfig>
): Effect.Effect<Summary, unknown, Services | Scope.Scope> =>
  Effect.gen(function* () {
    const submission = yield* Submission.read(job.config)
    const { base, plan, repository, target } = submission
    const branch = resultBranch(job.id)
    yield* job.emit({ type: "orch.started", payload: { target, base, branch, units: plan.units.map(graph) } })

    const tasks = plan.units.flatMap((unit) => unit.tasks)
    const summary = {
      branch,
      diff: diffCommand(repository.topLevel, target, branch),
      units: plan.units.length,
      tasks: tasks.length,
      skipped: tasks.filter(({ status }) => status === "complete").length
    }
    if (job.config.dryRun) return summary

    const place = yield* Workplace.open(job, submission, directory)
    const done = yield* committed(place, base)
    const failures = new Map<string, TaskFailure>()
    const blocked = new Set<string>()
    for (const unit of plan.units) {
      const waitsFor = unit.dependsOn.filter((id) => failures.has(id) || blocked.has(id))
      if (waitsFor.length > 0) {
        blocked.add(unit.id)
        yield* job.emit({ type: "unit.blocked", unit: unit.id, payload: { waitsFor } })
        continue
      }
      const remaining = unit.remaining.filter(({ number }) => !done.has(taskName(unit.id, number)))
      const failure = yield* work(place, unit, remaining)
      if (Option.isSome(failure)) failures.set(unit.id, failure.value)
    }
    if (failures.size > 0) {
      return yield* new TasksFailed({ failures: [...failures.values()], blocked: [...blocked], branch })
    }
    yield* Effect.forEach(plan.settings.baseline, (command) => Workplace.mustPass(place, "baseline", command))
    yield* job.emit({ type: "orch.completed", payload: summary })
    return summary
  })

/** The plan, as far as a watcher wants to draw it. */
const graph = ({ dependsOn, id, tasks }: Unit) => ({
  id,
  dependsOn,
  tasks: tasks.map(({ dependsOn, number, status, title }) => ({ number, title, status, dependsOn }))
})

const taskName = (unit: string, task: number): string => `${unit}/${task}`

/** What earlier attempts of the job have done already. */
const committed = ({ job, repository, worktree }: Workplace.Workplace, base: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { commit } = yield* git.status(repository, worktree)
    const done = yield* git.doneTasks(repository, { from: base, to: commit })
    return new Set(done.flatMap(({ jobId, task, unit }) => (jobId === job.id ? [taskName(unit, task)] : [])))
  })

/** Does the tasks of a unit one after another; the first that fails is the last that is tried. */
const work = (place: Workplace.Workplace, unit: Unit, tasks: ReadonlyArray<Task>) =>
  Effect.gen(function* () {
    const { job } = place
    yield* job.emit({ type: "unit.started", unit: unit.id })
    yield* Effect.forEach(tasks, (task) => TaskWork.run(place, unit.id, task), { discard: true })
    yield* job.emit({ type: "unit.completed", unit: unit.id })
    return Option.none<TaskFailure>()
  }).pipe(
    Effect.catchTag("TaskFailure", (failure) =>
      Effect.as(
        place.job.emit({ type: "unit.failed", unit: unit.id, payload: { task: failure.task, reason: failure.reason } }),
        Option.some(failure)
      )
    )
  )
