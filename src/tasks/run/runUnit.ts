/**
 * Working on one unit: its tasks one after another, in a workplace of its own.
 */
import { DateTime, Effect, Option, Schema } from "effect"
import { ObjectId, unitBranch } from "../../git/RefNames.js"
import type { Unit } from "../plan/Plan.js"
import type { RunContext } from "./RunContext.js"
import * as mergeUnit from "./mergeUnit.js"
import * as runTask from "./runTask.js"
import * as UnitWorktree from "./UnitWorktree.js"

/**
 * Does what is left to do of a unit that begins at a commit of the result, or that goes on from where an earlier attempt of
 * the job has brought it. Gives the spot from which it is merged.
 */
export const run = (job: RunContext, unit: Unit, begin: ObjectId) =>
  Effect.gen(function* () {
    const { context, progress, tell } = job
    const base = yield* beginning(job, unit, begin)
    yield* tell("unit.started", {}, { unit: unit.id })
    const branch = unitBranch(context.id, unit.id)
    const at = Option.getOrElse(lastCommit(job, unit), () => base)
    let spot: runTask.TaskPosition = { place: yield* UnitWorktree.open(job, { unit: unit.id, branch, at }), tip: at }
    for (const task of unit.remaining) {
      if (progress.task(unit.id, task.number).state !== "completed") spot = yield* runTask.run(job, unit, task, spot)
    }
    yield* tell("unit.completed", {}, { unit: unit.id })
    return spot
  })

/** Where its branch begins; the same in each attempt of the job. */
const beginning = (job: RunContext, unit: Unit, result: ObjectId) =>
  Effect.gen(function* () {
    const { progress, submission } = job
    const record = progress.unit(unit.id)
    if (record.base !== undefined) return yield* Schema.decode(ObjectId)(record.base)
    const begun = submission.taken.begun[unit.id]
    const base =
      begun === undefined ? result : yield* mergeUnit.join(job, unit, { ours: begun, theirs: result, isBegun: true })
    yield* progress.changeUnit(unit.id, { state: "running", base, startedAt: yield* DateTime.now })
    return base
  })

/** The commit of the last of its tasks that is done. */
const lastCommit = ({ progress }: RunContext, unit: Unit): Option.Option<ObjectId> => {
  const done = progress.tasksOf(unit.id).filter(({ state }) => state === "completed")
  return Schema.decodeUnknownOption(ObjectId)(done.at(-1)?.commit)
}
