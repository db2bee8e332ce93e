/**
 * Verifies a merged result by running the gates of completed tasks, and the baseline, again.
 */
import { Effect } from "effect"
import type { UnitName } from "../../git/RefNames.js"
import type { Task } from "../plan/Plan.js"
import * as Settings from "../plan/Settings.js"
import type { RunContext } from "./RunContext.js"
import * as runCommand from "./runCommand.js"
import type { UnitWorktree } from "./UnitWorktree.js"

interface Done {
  readonly unit: UnitName
  readonly task: Task
}

/** Runs the gates of completed tasks on the merged result. */
export const gates = (ctx: RunContext, worktree: UnitWorktree, done: ReadonlyArray<Done>) =>
  Effect.forEach(
    done,
    ({ task, unit }) =>
      mustPass(ctx, worktree, task.backpressure, {
        task,
        span: "gate",
        purpose: `gate of task ${task.number} of unit ${unit}, on the merged result,`,
        log: `merged-${unit}-${task.number}`
      }),
    { discard: true }
  )

/** Runs the baseline commands, which must pass after every merge. */
export const baseline = (ctx: RunContext, worktree: UnitWorktree, { purpose = "baseline", log = "baseline" } = {}) =>
  Effect.forEach(
    Settings.baselineOf(ctx.snapshot.plan.settings).run,
    (command, index) => mustPass(ctx, worktree, command, { span: "baseline", purpose, log: `${log}-${index + 1}` }),
    { discard: true }
  )

const mustPass = (
  ctx: RunContext,
  worktree: UnitWorktree,
  line: string,
  { log, ...command }: Pick<Parameters<typeof runCommand.line>[2], "span" | "purpose" | "log" | "task">
) =>
  Effect.zipRight(
    ctx.emit("unit.verifying", { command: line }, worktree.unit === undefined ? {} : { unit: worktree.unit }),
    runCommand.mustPass(ctx, worktree, { line, ...command, log: `${worktree.logs}/${log}-${ctx.job.attempt}.log` })
  )

/** The units in the result. */
export const merged = ({ progress, snapshot: { plan } }: RunContext): ReadonlyArray<UnitName> =>
  plan.units.map(({ id }) => id).filter((id) => ["merged", "skipped"].includes(progress.unit(id).state))

/**
 * The tasks of the given units, or of all units in the result, that were completed by this job, or by the job that it retries. A unit
 * that failed or is blocked is in no result, whatever it has completed.
 */
export const doneTasks = (
  { progress, snapshot }: RunContext,
  ...units: ReadonlyArray<UnitName>
): ReadonlyArray<Done> => {
  const { plan, taken } = snapshot
  const before = new Set(taken.tasks.map(({ task, unit }) => `${unit}/${task}`))
  return plan.units
    .filter(({ id }) =>
      units.length === 0 ? !["failed", "blocked"].includes(progress.unit(id).state) : units.includes(id)
    )
    .flatMap(({ id, tasks }) =>
      tasks
        .filter(({ number }) => progress.task(id, number).state === "completed" || before.has(`${id}/${number}`))
        .map((task) => ({ unit: id, task }))
    )
}
