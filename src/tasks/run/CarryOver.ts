/**
 * The work on a unit that a retry takes over from the job that it retries.
 */
import { Option, Schema } from "effect"
import type { JobId } from "../../domain/JobId.js"
import type { Work } from "../../domain/Work.js"
import { ObjectId, type OwnBranch, unitBranch, type UnitName } from "../../git/RefNames.js"
import type { PlanSnapshot } from "./PlanSnapshot.js"

export interface CarryOver {
  /** Numbers of the tasks that need not be run again. */
  readonly tasks: ReadonlyArray<number>
  /** The commit at which the unit's branch continues, if the unit was started and not merged. */
  readonly tip: Option.Option<ObjectId>
  /** The branch of a unit whose tasks are all done: what a person has committed there since the tip counts. */
  readonly branch: Option.Option<OwnBranch>
  /** The worktree with the unfinished work of the unit; it may be gone. */
  readonly worktree: Option.Option<{ readonly path: string; readonly branch: OwnBranch }>
}

interface Options {
  /** Whether the repository still has a commit. */
  readonly exists: (commit: string | undefined) => boolean
  /** Whether the unit begins at the base, unless it was merged. */
  readonly isFresh: boolean
}

export const of = (
  unit: UnitName,
  { id, snapshot, work }: { readonly id: JobId; readonly snapshot: PlanSnapshot; readonly work: Work },
  { exists, isFresh }: Options
): CarryOver => {
  const record = work.units.find((record) => record.unit === unit)
  const records = work.tasks.filter((record) => record.unit === unit && record.resolves === undefined)
  const completed = records.filter(({ commit, state }) => state === "completed" && exists(commit))
  const taken = snapshot.taken.tasks.flatMap((done) => (done.unit === unit ? [done.task] : []))
  const tasks = [...taken, ...completed.map(({ task }) => task)]
  const nothing = { tip: Option.none(), branch: Option.none(), worktree: Option.none() }
  if (record?.state === "merged" && exists(record.commit)) return { ...nothing, tasks }

  const before = snapshot.taken.begun[unit]
  const allDone = records.every(({ state }) => state === "completed" || state === "skipped")
  // A unit that was not started has left its worktree to the job before.
  const path = record?.worktree
  const left = path === undefined ? snapshot.taken.worktrees[unit] : { path, branch: unitBranch(id, unit) }
  const worktree = Option.filter(Option.fromNullable(left), () => !allDone)
  // A resolution that was recorded is used, unless it has failed.
  const resolved = work.tasks.find(
    ({ commit, resolves, ...task }) => task.unit === unit && resolves !== undefined && exists(commit)
  )?.commit
  const tip =
    (record?.state === "failed" ? undefined : resolved) ??
    completed.at(-1)?.commit ??
    before ??
    (Option.isSome(worktree) ? record?.base : undefined)
  // Tasks that were merged into the base of the job stay done.
  if (isFresh || !exists(tip)) return { ...nothing, tasks: before === undefined ? taken : [] }
  return {
    tasks,
    tip: Schema.decodeUnknownOption(ObjectId)(tip),
    branch: allDone ? Option.some(unitBranch(id, unit)) : Option.none(),
    worktree
  }
}
