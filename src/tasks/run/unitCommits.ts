/**
 * The commits of units and of the result, from their records.
 */
import { Effect, Schema } from "effect"
import { ObjectId } from "../../git/RefNames.js"
import type { RunContext } from "./RunContext.js"
import type { TaskProgress } from "./TaskProgress.js"

/** The records of the units and tasks of a job. */
export interface Recorded {
  readonly progress: Pick<TaskProgress, "unit" | "tasksOf">
}

/** The tasks of the unit that are part of the plan. */
export const plannedOf = ({ progress }: Recorded, unit: string) =>
  progress.tasksOf(unit).filter(({ resolves }) => resolves === undefined)

/** The commit of the unit's last completed task. */
export const lastOf = (ctx: Recorded, unit: string): string | undefined =>
  plannedOf(ctx, unit).findLast(({ state }) => state === "completed")?.commit

/** The tip of a unit whose tasks are all done; `undefined` if one is not. */
export const tipOf = (ctx: Recorded, unit: string): string | undefined => {
  const { progress } = ctx
  const isDone = plannedOf(ctx, unit).every(({ state }) => state === "completed" || state === "skipped")
  return isDone ? (lastOf(ctx, unit) ?? progress.unit(unit).base) : undefined
}

/** The result as of the merge of a unit; without one, the commit at which the work starts. */
export const resultAfter = ({ progress, snapshot }: RunContext, unit: string | undefined) =>
  unit === undefined ? Effect.succeed(snapshot.base) : Schema.decodeUnknown(ObjectId)(progress.unit(unit).commit)

/** The result with all merged units. */
export const result = (ctx: RunContext) =>
  resultAfter(ctx, ctx.snapshot.plan.units.findLast(({ id }) => ctx.progress.unit(id).state === "merged")?.id)
