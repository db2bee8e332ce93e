/**
 * Whether what was merged still holds: the gates of what was done, and the baseline, once more.
 */
import { Effect } from "effect"
import type { UnitName } from "../../git/RefNames.js"
import type { Task } from "../plan/Plan.js"
import type { RunContext } from "./RunContext.js"
import * as runCommand from "./runCommand.js"
import type { UnitWorktree } from "./UnitWorktree.js"

interface Done {
  readonly unit: UnitName
  readonly task: Task
}

/** Runs the gates of tasks where they have been merged. */
export const gates = (job: RunContext, place: UnitWorktree, done: ReadonlyArray<Done>) =>
  Effect.forEach(
    done,
    ({ task, unit }) =>
      pass(job, place, task.backpressure, {
        purpose: `gate of task ${task.number} of unit ${unit}, on the merged result,`,
        log: `merged-${unit}-${task.number}`
      }),
    { discard: true }
  )

/** Runs the commands that must pass on the result, whatever was merged last. */
export const baseline = (job: RunContext, place: UnitWorktree) =>
  Effect.forEach(
    job.submission.plan.settings.baseline,
    (command, index) => pass(job, place, command, { purpose: "baseline", log: `baseline-${index + 1}` }),
    { discard: true }
  )

const pass = (
  job: RunContext,
  place: UnitWorktree,
  line: string,
  { log, purpose }: { readonly purpose: string; readonly log: string }
) =>
  Effect.zipRight(
    job.tell("unit.verifying", { command: line }, place.unit === undefined ? {} : { unit: place.unit }),
    runCommand.mustPass(job, place, { line, purpose, log: `${place.logs}/${log}-${job.context.attempt}.log` })
  )

/** The tasks of the plan that this job, or the one before it, has done. */
export const doneTasks = (
  { progress, submission }: RunContext,
  ...units: ReadonlyArray<UnitName>
): ReadonlyArray<Done> => {
  const { plan, taken } = submission
  const before = new Set(taken.tasks.map(({ task, unit }) => `${unit}/${task}`))
  return plan.units
    .filter(({ id }) => units.length === 0 || units.includes(id))
    .flatMap(({ id, tasks }) =>
      tasks
        .filter(({ number }) => progress.task(id, number).state === "completed" || before.has(`${id}/${number}`))
        .map((task) => ({ unit: id, task }))
    )
}
