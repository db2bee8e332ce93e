/**
 * The orchestrator that works through a directory of tasks: units in parallel, each in a worktree of its own outside the
 * repository, with one commit for each task whose backpressure command passes. Finished units are merged into a result
 * branch, and at the end the target branch is advanced to it.
 *
 * @since 0.1.0
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Context, Effect, identity, Layer, Option, Schema } from "effect"
import { join } from "node:path"
import type { JobConfig } from "../domain/JobConfig.js"
import type { JobId } from "../domain/JobId.js"
import { type JobContext, Orchestrator } from "../manager/Orchestrator.js"
import { RunStore } from "../store/RunStore.js"
import { Agents } from "./Agents.js"
import { Git } from "../git/Git.js"
import { ObjectId, RepoPath, resultBranch } from "../git/RefNames.js"
import { diffCommand } from "../git/shellQuote.js"
import type { Plan, Task, Unit } from "./plan/Plan.js"
import * as Settings from "./plan/Settings.js"
import { ProcessRunner } from "../process/ProcessRunner.js"
import * as preflight from "./run/preflight.js"
import type { RunContext } from "./run/RunContext.js"
import * as landResult from "./run/landResult.js"
import * as reapOrphanGit from "./run/reapOrphanGit.js"
import * as TaskProgress from "./run/TaskProgress.js"
import * as ResultBranch from "./run/ResultBranch.js"
import * as PlanSnapshot from "./run/PlanSnapshot.js"
import { TasksFailed } from "./run/errors.js"
import * as emitTaskEvent from "./run/emitTaskEvent.js"
import * as scheduleUnits from "./run/scheduleUnits.js"
import * as Waiting from "./run/Waiting.js"
import * as UnitWorktree from "./run/UnitWorktree.js"

/** @since 0.1.0 */
export interface Options {
  /** An absolute path outside any repository: worktrees and logs of jobs are kept below it. */
  readonly directory: string
  /** Takes out of a text what agents must not be told, such as a secret that only gates are given and that one has printed. */
  readonly hide?: (text: string) => string
}

/**
 * What a job of tasks comes to.
 *
 * @since 0.1.0
 */
export class Summary extends Schema.Class<Summary>("charlotte/Summary")({
  target: Schema.String,
  /** The branch of the result. */
  branch: Schema.String,
  /** The command that shows what was done. */
  diff: Schema.String,
  /** The commit to which the target was advanced. */
  landed: Schema.optional(Schema.String),
  commits: Schema.Int
}) {}

type Services = Agents | Git | ProcessRunner | RunStore | FileSystem | Path

/**
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<Orchestrator, never, Services> =>
  Layer.effect(
    Orchestrator,
    // Only these: with all that is around, a job would get the scope of the layer in place of its own.
    Effect.map(
      Effect.map(Effect.context<Services>(), Context.pick(Agents, Git, ProcessRunner, RunStore, FileSystem, Path)),
      (context) =>
        Orchestrator.of({
          check: (config, kept) => Effect.provide(check(config, kept), context),
          run: (job) =>
            run(options, job).pipe(
              Effect.updateService(Git, (git) => Waiting.whileChanged(git, emitTaskEvent.make(job))),
              Effect.provide(context)
            ),
          recover: (id) => Effect.provide(recover(options, id), context)
        })
    )
  )

const directories = ({ directory }: Options, id: JobId): RunContext["directories"] => ({
  worktrees: `${directory}/worktrees/${id}`,
  logs: `${directory}/logs/${id}`
})

const recover = (options: Options, id: JobId) =>
  Effect.gen(function* () {
    const runner = yield* ProcessRunner
    yield* runner.recover(id)
    yield* reapOrphanGit.end(directories(options, id).worktrees)
  })

const check = (config: JobConfig, kept: unknown) =>
  Effect.gen(function* () {
    if (kept !== undefined) return { key: PlanSnapshot.key(yield* PlanSnapshot.decode(kept)) }
    const submission = yield* preflight.read(config)
    const encoded = PlanSnapshot.encode(submission)
    return config.dryRun ? { submission: encoded } : { key: PlanSnapshot.key(submission), submission: encoded }
  })

const run = (options: Options, context: JobContext<JobConfig>) =>
  Effect.gen(function* () {
    const git = yield* Git
    const store = yield* RunStore
    const agents = yield* Agents
    const { config, id } = context
    const submission = yield* PlanSnapshot.decode(context.submission)
    const { base, fingerprint, plan, target, targetAt, topLevel } = submission
    const result = resultBranch(id)
    const tell = emitTaskEvent.make(context)
    const start = (isDone: (unit: Unit, task: Task) => boolean) =>
      tell("orch.started", {
        target,
        base,
        branch: result,
        agent: submission.agent,
        concurrency: config.concurrency,
        units: plan.units.map((unit) => graph(unit, isDone))
      })
    const summary = { target, branch: result, diff: diffCommand(topLevel, targetAt, result) }
    if (config.dryRun) {
      yield* start((_, { status }) => status === "complete")
      return new Summary({ ...summary, commits: 0 })
    }

    const job: RunContext = {
      context,
      submission,
      repository: yield* git.open(topLevel, { fingerprint }),
      result,
      agent: yield* agents.get(submission.agent),
      keep: yield* Schema.decode(Schema.Array(RepoPath))(sourcesOf(plan)),
      gateEnv: agents.gates.env,
      directories: directories(options, id),
      progress: yield* TaskProgress.open(store, context, submission),
      tell,
      hide: options.hide ?? identity
    }
    yield* takeUp(job)
    yield* start(({ id }, { number }) => ["completed", "skipped"].includes(job.progress.task(id, number).state))
    yield* scheduleUnits.run(job)
    const end = yield* scheduleUnits.resultAfter(job, plan.units.length - 1)
    yield* failIfAny(job, summary, end)

    const commits = yield* git.commits(job.repository, { from: targetAt, to: end })
    if (!config.land) {
      yield* ResultBranch.set(job, end)
      return new Summary({ ...summary, commits })
    }
    return new Summary({ ...summary, commits, landed: yield* landResult.land(job, end) })
  })

/** The files of the plan, and that of its settings even where there is none. */
const sourcesOf = ({ dir, files }: Plan): ReadonlyArray<string> => [
  ...new Set([...files, join(dir, Settings.fileName)])
]

/** A unit as a watcher wants to draw it, and as it stands now: events of an attempt that crashed may be missing. */
const graph = (unit: Unit, isDone: (unit: Unit, task: Task) => boolean) => ({
  id: unit.id,
  dependsOn: unit.dependsOn,
  tasks: unit.tasks.map((task) => {
    const { dependsOn, number, status, title } = task
    return { number, title, status: isDone(unit, task) ? "complete" : status, dependsOn }
  })
})

/** Brings the repository to what is recorded; a crash may have come between the two. */
const takeUp = (job: RunContext) =>
  Effect.gen(function* () {
    const { progress, submission } = job
    for (const { id, tasks } of submission.plan.units) {
      for (const { number } of tasks) {
        const { commit, state } = progress.task(id, number)
        if (state === "running" && Option.isSome(yield* found(job, commit)))
          yield* progress.changeTask(id, number, { state: "completed" })
      }
      const { commit, state } = progress.unit(id)
      const made = state === "running" ? yield* found(job, commit) : Option.none()
      if (Option.isNone(made)) continue
      // In the order in which it is merged: the result holds what is said to be in it.
      yield* ResultBranch.show(job, made.value)
      yield* progress.changeUnit(id, { state: "merged" })
    }
    yield* ResultBranch.show(job, yield* scheduleUnits.resultAfter(job, submission.plan.units.length - 1))
    yield* UnitWorktree.closeLeft(job)
  })

/** A commit that is recorded, if the repository has it. */
const found = ({ repository }: RunContext, commit: string | undefined) =>
  Effect.gen(function* () {
    const git = yield* Git
    const id = Schema.decodeUnknownOption(ObjectId)(commit)
    return Option.isSome(id) && (yield* git.contains(repository, id.value)) ? id : Option.none()
  })

const failIfAny = (job: RunContext, { diff }: { readonly diff: string }, end: ObjectId) =>
  Effect.gen(function* () {
    const { progress, result, submission } = job
    const records = submission.plan.units.map(({ id }) => progress.unit(id))
    const failed = records.filter(({ state }) => state === "failed")
    if (failed.length === 0) return
    // What an agent has made of it since the last merge; in a repository that was changed, it stays as it is.
    yield* Effect.catchAll(ResultBranch.set(job, end), ({ message }) => Effect.logWarning(message))
    return yield* new TasksFailed({
      branch: result,
      diff,
      failures: failed.map(({ reason = "", unit }) => {
        const task = progress.tasksOf(unit).find(({ state }) => state === "failed")
        return { unit, task: task?.task, reason, log: task?.log }
      }),
      blocked: records.filter(({ state }) => state === "blocked").map(({ unit }) => unit)
    })
  })
