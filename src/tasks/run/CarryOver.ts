/**
 * What a job that has ended has left of one of its units.
 */
import { Option, Schema } from "effect"
import type { Work } from "../../domain/Work.js"
import { ObjectId, type UnitName } from "../../git/RefNames.js"
import type { PlanSnapshot } from "./PlanSnapshot.js"

export interface CarryOver {
  /** Numbers of the tasks that need not be done again. */
  readonly tasks: ReadonlyArray<number>
  /** Where its branch goes on, when it was begun and is not merged. */
  readonly begun: Option.Option<ObjectId>
}

/** @param isThere whether the repository still has a commit */
export const of = (
  unit: UnitName,
  { submission, work }: { readonly submission: PlanSnapshot; readonly work: Work },
  isThere: (commit: string | undefined) => boolean
): CarryOver => {
  const record = work.units.find((record) => record.unit === unit)
  const records = work.tasks.filter((record) => record.unit === unit)
  const completed = records.filter(({ commit, state }) => state === "completed" && isThere(commit))
  const taken = submission.taken.tasks.flatMap((done) => (done.unit === unit ? [done.task] : []))
  const tasks = [...taken, ...completed.map(({ task }) => task)]
  if (record?.state === "merged" && isThere(record.commit)) return { tasks, begun: Option.none() }

  const before = submission.taken.begun[unit]
  const begun = completed.at(-1)?.commit ?? before
  const isOver = records.every(({ state }) => state === "completed" || state === "skipped")
  // With all tasks done, and without a base, it did not stand together with other units: it is worked on anew, upon those.
  const isUnfit = record?.state === "failed" && record.base === undefined && isOver
  if (!isUnfit && isThere(begun)) return { tasks, begun: Schema.decodeUnknownOption(ObjectId)(begun) }
  return startOver({ tasks: taken, begun: Option.fromNullable(before) })
}

/** Without what is on a branch of its own: what was merged into the base of the job stays. */
export const startOver = ({ begun, tasks }: CarryOver): CarryOver => ({
  tasks: Option.isSome(begun) ? [] : tasks,
  begun: Option.none()
})
