/**
 * Runs one unit: its tasks in order, in a separate worktree.
 */
import { Effect, Option, Schema } from "effect"
import { now } from "../../internal/now.js"
import * as Tracing from "../../internal/Tracing.js"
import { Git } from "../../git/Git.js"
import { ObjectId, unitBranch } from "../../git/RefNames.js"
import type { Task, Unit } from "../plan/Plan.js"
import type { RunContext } from "./RunContext.js"
import type { TaskPosition } from "./commitTask.js"
import * as Fold from "./Fold.js"
import * as mergeTips from "./mergeTips.js"
import * as mergeUnit from "./mergeUnit.js"
import * as runTask from "./runTask.js"
import * as saveUnfinished from "./saveUnfinished.js"
import * as unitCommits from "./unitCommits.js"
import * as UnitWorktree from "./UnitWorktree.js"

/**
 * Runs the remaining tasks of a unit from its start, or from where an earlier attempt of the job stopped. Returns the position to
 * merge.
 */
export const run = (ctx: RunContext, unit: Unit, start: Fold.Start) =>
  Effect.gen(function* () {
    const { emit, job } = ctx
    const base = yield* baseOf(ctx, unit, start)
    yield* emit("unit.started", {}, { unit: unit.id })
    const branch = unitBranch(job.id, unit.id)
    const at = Option.getOrElse(Schema.decodeUnknownOption(ObjectId)(unitCommits.lastOf(ctx, unit.id)), () => base)
    const worktree = unit.remaining.some(isUnfinished(ctx, unit))
      ? UnitWorktree.open(ctx, unit.id, { branch, at })
      : UnitWorktree.make(ctx, { unit: unit.id, branch, at })
    let position: TaskPosition = { worktree: yield* worktree, tip: at }
    for (const task of unit.remaining) {
      if (isUnfinished(ctx, unit)(task))
        position = yield* runTask
          .run(ctx, unit, task, position)
          .pipe(Tracing.traced(Tracing.task, { attributes: { unit: unit.id, task: task.number, title: task.title } }))
    }
    yield* emit("unit.completed", {}, { unit: unit.id })
    return position
  })

export const isUnfinished =
  ({ progress }: RunContext, { id }: Unit) =>
  ({ number }: Task): boolean =>
    progress.task(id, number).state !== "completed"

/** The commit at which the unit's branch starts; recorded, so that it is the same in each attempt of the job. */
const baseOf = (ctx: RunContext, unit: Unit, start: Fold.Start) =>
  Effect.gen(function* () {
    const { progress, snapshot } = ctx
    const record = progress.unit(unit.id)
    if (record.base !== undefined) return yield* Schema.decode(ObjectId)(record.base)
    const begun = snapshot.taken.begun[unit.id]
    const [next] = unit.remaining
    const isContinued =
      next === undefined ||
      (begun !== undefined &&
        ((yield* UnitWorktree.adopt(ctx, unit.id, next.number, begun)) ||
          Option.isSome(yield* saveUnfinished.ofFormer(ctx, unit.id, begun))))
    // Neither unfinished work nor a conflict can be merged: the unit meets the result when it is done.
    const base = begun !== undefined && isContinued ? begun : yield* freshBase(ctx, unit, start, begun)
    const worktree = yield* UnitWorktree.pathOf(ctx, unit.id)
    yield* progress.changeUnit(unit.id, { state: "running", base, worktree, startedAt: yield* now })
    return base
  })

/** Work taken over from a retried job is merged with the commit at which the unit would start. */
const freshBase = (ctx: RunContext, unit: Unit, start: Fold.Start, begun: ObjectId | undefined) =>
  Effect.gen(function* () {
    const at = yield* Fold.Start.$match(start, {
      Base: () => Effect.succeed(ctx.snapshot.base),
      Result: ({ after }) => unitCommits.resultAfter(ctx, after),
      Tips: ({ of }) => mergeTips.merge(ctx, unit, of)
    })
    if (begun === undefined) return at
    const base = yield* Effect.catchTag(
      mergeUnit.mergeCommits(ctx, unit, { ours: begun, theirs: at, isCarriedOver: true }),
      "MergeConflict",
      () => Effect.succeed(begun)
    )
    // What was verified there is another commit. The branch keeps the merge from being collected before it is recorded.
    const git = yield* Git
    yield* git.removeWorktree(ctx.repository, yield* UnitWorktree.pathOf(ctx, unit.id))
    yield* git.restore(ctx.repository, unitBranch(ctx.job.id, unit.id), base)
    return base
  })
