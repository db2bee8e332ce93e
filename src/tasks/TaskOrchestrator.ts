/**
 * The orchestrator of a directory of tasks. Units run in parallel, each in a separate worktree outside the repository, with one
 * commit per task once its backpressure command passes. Completed units are merged into a result branch, and at the end the target
 * branch is advanced to it.
 *
 * @since 0.1.0
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Context, Effect, identity, Layer, Option, Schema } from "effect"
import { join } from "node:path"
import type { JobConfig, Landing } from "../domain/JobConfig.js"
import type { JobId } from "../domain/JobId.js"
import { type JobContext, Orchestrator } from "../manager/Orchestrator.js"
import * as Permits from "../internal/Permits.js"
import { RunStore } from "../store/RunStore.js"
import { Agents } from "./Agents.js"
import * as JobDirectories from "./JobDirectories.js"
import { Git } from "../git/Git.js"
import { ObjectId, RepoPath, resultBranch } from "../git/RefNames.js"
import { diffCommand } from "../git/shellQuote.js"
import type { Plan, Task, Unit } from "./plan/Plan.js"
import * as Settings from "./plan/Settings.js"
import { ProcessRunner } from "../process/ProcessRunner.js"
import { forgetJob, removeWork } from "./run/forgetJob.js"
import * as Decisions from "./Decisions.js"
import * as baselineBefore from "./run/baselineBefore.js"
import * as approval from "./run/approval.js"
import * as AgentGate from "./run/AgentGate.js"
import * as JobLifecycle from "./run/JobLifecycle.js"
import * as preflight from "./run/preflight.js"
import type { RunContext } from "./run/RunContext.js"
import * as landing from "./run/landing.js"
import * as landResult from "./run/landResult.js"
import * as proposeResult from "./run/proposeResult.js"
import * as resolveConflict from "./run/resolveConflict.js"
import * as reapOrphanGit from "./run/reapOrphanGit.js"
import * as TaskAgents from "./run/TaskAgents.js"
import * as TaskProgress from "./run/TaskProgress.js"
import * as Questions from "./run/Questions.js"
import * as ResultBranch from "./run/ResultBranch.js"
import * as PlanSnapshot from "./run/PlanSnapshot.js"
import { LeftOut, TasksFailed } from "./run/errors.js"
import * as emitTaskEvent from "./run/emitTaskEvent.js"
import * as Spending from "./run/Spending.js"
import * as scheduleUnits from "./run/scheduleUnits.js"
import * as unitCommits from "./run/unitCommits.js"
import * as Waiting from "./run/Waiting.js"
import * as WorkingTime from "./run/WorkingTime.js"
import * as UnitWorktree from "./run/UnitWorktree.js"

/**
 * Options of `TaskOrchestrator.layer`.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** An absolute path outside any repository, for the worktrees and logs of jobs. */
  readonly directory: string
  /** Redacts text for agents, such as a secret that only gates receive and that a gate has printed. */
  readonly hide?: (text: string) => string
}

/**
 * The result of a completed task job.
 *
 * @since 0.1.0
 * @category models
 */
export class Summary extends Schema.Class<Summary>("charlotte/Summary")({
  target: Schema.String,
  /** The branch of the result. */
  branch: Schema.String,
  /** The command that shows the changes. */
  diff: Schema.String,
  /** The commit to which the target was advanced. */
  landed: Schema.optional(Schema.String),
  /** The pull request, or the page on which to open one, and why it is not open. */
  pullRequest: Schema.optional(
    Schema.Struct({
      isOpen: Schema.Boolean,
      url: Schema.optional(Schema.String),
      problem: Schema.optional(Schema.String)
    })
  ),
  /** The units that were not part of this retry, and the jobs that have their work. */
  leftOut: Schema.optional(LeftOut),
  commits: Schema.Int,
  /** How many of the commits have no signature, where `commit.gpgSign` is set; missing if there are none. */
  unsigned: Schema.optional(Schema.Int)
}) {}

type Services = Agents | Git | ProcessRunner | RunStore | FileSystem | Path

/**
 * The orchestrator that works through a directory of Markdown tasks in a git repository.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<Orchestrator, never, Services> =>
  Layer.effect(
    Orchestrator,
    Effect.gen(function* () {
      // Pick only these services: the full context would replace the scope of each job by the layer's scope.
      const context = Context.pick(
        Agents,
        Git,
        ProcessRunner,
        RunStore,
        FileSystem,
        Path
      )(yield* Effect.context<Services>())
      const taskAgents = yield* TaskAgents.make(yield* AgentGate.make(yield* RunStore))
      return Orchestrator.of({
        check: (config, stored) => Effect.provide(check(options, config, stored), context),
        run: (job) =>
          run(options, taskAgents, job).pipe(
            Effect.updateService(Git, (git) => Waiting.whileUnusable(git, emitTaskEvent.make(job))),
            Effect.provide(context)
          ),
        recover: (id, attempt) => Effect.provide(recover(options, id, attempt), context),
        forget: (id, why) =>
          Effect.zipRight(
            why === "removed" ? removeWork(options.directory, id) : Effect.void,
            forgetJob(`${options.directory}/logs`, id)
          ).pipe(Effect.provide(context))
      })
    })
  )

const recover = (options: Options, id: JobId, attempt: number) =>
  Effect.gen(function* () {
    const runner = yield* ProcessRunner
    yield* runner.recover(id, attempt)
    const { worktrees } = JobDirectories.of(options.directory, id)
    const { units } = yield* (yield* RunStore).work.of(id)
    const adopted = units.flatMap(({ worktree }) =>
      worktree === undefined || worktree.startsWith(`${worktrees}/`) ? [] : [worktree]
    )
    yield* reapOrphanGit.reap(worktrees, adopted)
    // If this fails, the next attempt does it.
    yield* Effect.ignoreLogged(countCutOff({ id, attempt }))
  })

const countCutOff = (job: Pick<JobContext<JobConfig>, "id" | "attempt">) =>
  Effect.gen(function* () {
    const agents = yield* Agents
    yield* Spending.countCutOff(yield* RunStore, job, (name) =>
      Effect.map(
        Effect.option(agents.get(name)),
        (agent) => Option.getOrUndefined(Option.map(agent, Spending.profileOf))?.prices
      )
    )
  })

const check = ({ directory }: Options, config: JobConfig, stored: unknown) =>
  Effect.gen(function* () {
    if (stored !== undefined) return PlanSnapshot.key(yield* PlanSnapshot.decode(stored))
    const snapshot = yield* preflight.read(config, directory)
    const { title } = snapshot.plan.settings
    const submitted = { submission: PlanSnapshot.encode(snapshot), ...(title !== undefined && { title }) }
    return config.dryRun ? submitted : { ...PlanSnapshot.key(snapshot), ...submitted }
  })

const run = (options: Options, taskAgents: TaskAgents.TaskAgents, job: JobContext<JobConfig>) =>
  Effect.gen(function* () {
    const git = yield* Git
    const store = yield* RunStore
    const agents = yield* Agents
    const { config, id } = job
    const lifecycle = job.attempt === 1 ? [] : yield* store.lifecycle(id)
    const requested = JobLifecycle.approval(lifecycle)
    const decisions = requested === undefined ? [] : yield* Decisions.read(store, id)
    const recorded = decisions.length === 0 ? [] : (yield* store.work.of(id)).tasks
    const snapshot = Decisions.planned(yield* PlanSnapshot.decode(job.submission), decisions, recorded)
    const { base, fingerprint, plan, target, targetAt, topLevel } = snapshot
    const { leftOut } = snapshot.taken
    const result = resultBranch(id)
    const emit = emitTaskEvent.make(job)
    const emitStarted = (isDone: (unit: Unit, task: Task) => boolean) =>
      emit("orch.started", {
        target,
        base,
        branch: result,
        agent: snapshot.agent,
        concurrency: config.concurrency,
        units: plan.units.map((unit) => graph(unit, isDone)),
        ...(leftOut.length > 0 && { leftOut: leftOut.map(({ unit }) => unit) })
      })
    const others = leftOut.length === 0 ? {} : { leftOut }
    const summary = { target, branch: result, diff: diffCommand(topLevel, targetAt, result), ...others }
    if (config.dryRun) {
      yield* emitStarted((_, { status }) => status === "complete")
      return new Summary({ ...summary, commits: 0 })
    }

    const isResumed = JobLifecycle.isResumed(lifecycle)
    yield* countCutOff(job)
    const progress = yield* TaskProgress.open(store, job, snapshot)
    const ctx: RunContext = {
      job,
      snapshot,
      repository: yield* git.open(topLevel, { fingerprint }),
      result,
      taskAgents: yield* taskAgents.ofJob({
        job,
        tasks: [...plan.remainingTasks, ...resolveConflict.tasks(config, snapshot)],
        agentsOf: (task) => snapshot.agentsOf(task),
        lastOf: (unit, { number }) => progress.task(unit, number).session?.agent,
        agents,
        priority: Option.match(yield* store.get(id), { onNone: () => 0, onSome: ({ priority }) => priority }),
        isResumed
      }),
      lendPermit: identity,
      mayGoOn: Effect.void,
      keep: yield* Schema.decode(Schema.Array(RepoPath))(sourcesOf(plan)),
      wrapOf: (task) => {
        const tasks = [...(task === undefined ? [] : [task]), ...plan.units.flatMap((unit) => unit.tasks)]
        const names = tasks.flatMap((task) => snapshot.agentsOf(task)).map(({ agent }) => agent)
        return names.map(agents.wrap).find((wrap) => wrap.length > 0) ?? []
      },
      gates: agents.gates,
      directories: JobDirectories.of(options.directory, id),
      progress,
      questions: yield* Questions.open(store, job, snapshot.taken.questions),
      parkedFor: JobLifecycle.parkedFor(lifecycle),
      working: yield* WorkingTime.make,
      // A job of which no turn has begun cannot be resumed with other limits.
      spending: {
        limits: Spending.limits(plan.settings.limits, job.attempt === 1 ? [] : yield* Decisions.signalsOf(store, id)),
        step: Permits.make(1)
      },
      emit,
      hide: options.hide ?? identity
    }
    if (isResumed) yield* scheduleUnits.endWaits(ctx)
    yield* JobDirectories.noteRepository(options.directory, id, topLevel)
    yield* reconcile(ctx)
    yield* approval.reopen(ctx, decisions)
    yield* emitStarted(({ id }, { number }) => ["completed", "skipped"].includes(ctx.progress.task(id, number).state))
    yield* baselineBefore.run(ctx, options.directory)
    yield* scheduleUnits.run(ctx)
    yield* approval.fold(ctx, decisions)
    const end = yield* unitCommits.result(ctx)
    const lands = landing.of(config, plan.settings, agents.land)
    yield* failIfAny(ctx, summary, end, lands)

    const commits = yield* git.commits(ctx.repository, { from: targetAt, to: end })
    if (lands === "never") {
      yield* ResultBranch.set(ctx, end)
      return new Summary({ ...summary, commits, ...(yield* unsigned(ctx, end)) })
    }
    // The work of a retried job was never verified together with newer commits on the target, nor what a rejection has added.
    const isVerified = base === targetAt && decisions.length === 0
    if (lands === "pull-request") {
      const pullRequest = yield* proposeResult.propose(ctx, end, isVerified)
      return new Summary({ ...summary, commits, pullRequest, ...(yield* unsigned(ctx, end)) })
    }
    const landed =
      lands === "ask" || decisions.length > 0
        ? yield* approval.land(ctx, end, { requested, decisions, isVerified })
        : yield* landResult.land(ctx, end, lands === "auto" && isVerified)
    return new Summary({ ...summary, commits, landed, ...(yield* unsigned(ctx, landed)) })
  })

/** A job that has landed does not fail because its commits cannot be counted. */
const unsigned = ({ repository, snapshot: { targetAt } }: RunContext, to: ObjectId) =>
  Effect.flatMap(Git, (git) => git.unsigned(repository, { from: targetAt, to })).pipe(
    Effect.map((unsigned) => (unsigned === 0 ? {} : { unsigned })),
    Effect.orElseSucceed(() => ({}))
  )

/** Plan files and the settings file, even if it does not exist. */
const sourcesOf = ({ dir, files }: Plan): ReadonlyArray<string> => [
  ...new Set([...files, join(dir, Settings.fileName)])
]

/** A unit with the current status of its tasks, for the `orch.started` event: events of an attempt that crashed may be missing. */
const graph = (unit: Unit, isDone: (unit: Unit, task: Task) => boolean) => ({
  id: unit.id,
  dependsOn: unit.dependsOn,
  tasks: unit.tasks.map((task) => {
    const { dependsOn, number, status, title } = task
    return { number, title, status: isDone(unit, task) ? "complete" : status, dependsOn }
  })
})

/** Reconciles records and repository after a crash between writing the two. */
const reconcile = (ctx: RunContext) =>
  Effect.gen(function* () {
    const { progress, snapshot } = ctx
    for (const { id } of snapshot.plan.units) {
      for (const { commit, state, task } of progress.tasksOf(id)) {
        if (state === "running" && Option.isSome(yield* existingCommit(ctx, commit)))
          yield* progress.changeTask(id, task, { state: "completed" })
      }
      const { commit, state } = progress.unit(id)
      const merged = state === "running" ? yield* existingCommit(ctx, commit) : Option.none()
      if (Option.isNone(merged)) continue
      // The same order as in a merge: the result branch contains a unit before it is recorded as merged.
      yield* ResultBranch.trySet(ctx, merged.value)
      yield* progress.changeUnit(id, { state: "merged" })
    }
    yield* ResultBranch.trySet(ctx, yield* unitCommits.result(ctx))
    yield* UnitWorktree.closeMerged(ctx)
  })

/** A recorded commit, if it exists in the repository. */
const existingCommit = ({ repository }: RunContext, commit: string | undefined) =>
  Effect.gen(function* () {
    const git = yield* Git
    const id = Schema.decodeUnknownOption(ObjectId)(commit)
    return Option.isSome(id) && (yield* git.contains(repository, id.value)) ? id : Option.none()
  })

const failIfAny = (
  ctx: RunContext,
  { diff, leftOut }: { readonly diff: string; readonly leftOut?: typeof LeftOut.Type },
  end: ObjectId,
  lands: Landing
) =>
  Effect.gen(function* () {
    const { progress, result, snapshot } = ctx
    const records = snapshot.plan.units.map(({ id }) => progress.unit(id))
    const failed = records.filter(({ state }) => state === "failed")
    if (failed.length === 0) return
    // An agent may have moved the branch since the last merge. Failing to reset it must not hide the failed tasks.
    yield* Effect.catchAll(ResultBranch.set(ctx, end), ({ message }) => Effect.logWarning(message))
    const part = lands === "done" && end !== snapshot.targetAt ? yield* landPart(ctx, end) : {}
    return yield* new TasksFailed({
      ...part,
      branch: result,
      diff,
      leftOut,
      failures: failed.map(({ reason = "", unit }) => {
        const task = progress.tasksOf(unit).find(({ state }) => state === "failed")
        return { unit, task: task?.task, reason, log: task?.log }
      }),
      blocked: records.filter(({ state }) => state === "blocked").map(({ unit }) => unit)
    })
  })

/** Lands the units that are done. Whether they land or not, the job fails for the others. */
const landPart = (ctx: RunContext, end: ObjectId) =>
  Effect.gen(function* () {
    const { progress, snapshot } = ctx
    const { left, units } = landResult.partition(ctx)
    const isLost = new Set(left.map(({ id }): string => id))
    const others = left.map(({ dependsOn, id }) => {
      const by = dependsOn.filter((unit) => isLost.has(unit)).join(", ")
      return { unit: id, reason: progress.unit(id).reason ?? `blocked by ${by}` }
    })
    return yield* landResult.land(ctx, end, false).pipe(
      Effect.map((commit) => ({ target: snapshot.target, landed: units, landedAt: commit, left: others })),
      Effect.catchTag("LandingBlocked", ({ command, log, reason }) =>
        Effect.succeed({ target: snapshot.target, notLanded: { reason, command, log } })
      )
    )
  })
