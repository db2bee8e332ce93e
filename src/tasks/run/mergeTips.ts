/**
 * Merges the units that a unit depends on, for the unit to begin there.
 */
import { Effect, Schema } from "effect"
import { Git } from "../../git/Git.js"
import { ObjectId, unitBranch } from "../../git/RefNames.js"
import type { Unit } from "../plan/Plan.js"
import { TipsUnmergeable } from "./errors.js"
import * as mergeUnit from "./mergeUnit.js"
import type { RunContext } from "./RunContext.js"
import { tipOf } from "./unitCommits.js"
import * as UnitWorktree from "./UnitWorktree.js"
import * as verifyMerge from "./verifyMerge.js"

/**
 * The tip of one unit, or the merge of several in this order. That is verified in the worktree of the unit that begins there, on its
 * branch, which keeps the commit from being collected as garbage before it is recorded.
 */
export const merge = (ctx: RunContext, { id }: Unit, of: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { job, snapshot } = ctx
    const units = snapshot.plan.units.filter(({ id }) => of.includes(id))
    const tips = yield* Effect.forEach(units, (unit) =>
      Effect.map(Schema.decodeUnknown(ObjectId)(tipOf(ctx, unit.id)), (tip) => ({ unit, tip }))
    )
    let at = snapshot.base
    let isMerge = false
    for (const { tip, unit } of tips) {
      const commit = yield* mergeUnit.mergeCommits(ctx, unit, {
        ours: at,
        theirs: tip,
        title: `Merge unit ${unit.id} for ${id}`,
        isCarriedOver: snapshot.taken.begun[unit.id] !== undefined
      })
      isMerge = commit !== tip && (isMerge || commit !== at)
      at = commit
    }
    if (isMerge) yield* verify(ctx, { unit: id, branch: unitBranch(job.id, id), at }, units)
    return at
  }).pipe(
    Effect.catchTags({
      CommandFailed: ({ message }) => new TipsUnmergeable({ message }),
      MergeConflict: ({ message }) => new TipsUnmergeable({ message })
    })
  )

const verify = (ctx: RunContext, start: UnitWorktree.Making, units: ReadonlyArray<Unit>) =>
  Effect.gen(function* () {
    const git = yield* Git
    const remove = Effect.flatMap(UnitWorktree.pathOf(ctx, start.unit), (path) =>
      git.removeWorktree(ctx.repository, path)
    )
    const changed = yield* Effect.gen(function* () {
      const worktree = yield* UnitWorktree.create(ctx, start)
      yield* verifyMerge.gates(ctx, worktree, verifyMerge.doneTasks(ctx, ...units.map(({ id }) => id)))
      yield* verifyMerge.baseline(ctx, worktree)
      return (yield* git.compare(ctx.repository, worktree, start.at)).changed
    }).pipe(Effect.tapErrorTag("CommandFailed", () => remove))
    // What the gates have left is no work of the unit: its worktree is made again.
    if (changed.length > 0) yield* remove
  })
