/**
 * The commit range of a job's work, from its records; its branches may have been pruned.
 */
import { Option, Schema } from "effect"
import type { UnitRecord, Work } from "../domain/Work.js"
import { ObjectId } from "../git/RefNames.js"
import type { PlanSnapshot } from "./run/PlanSnapshot.js"

export interface Range {
  readonly base: ObjectId
  readonly head: ObjectId
}

const decode = Schema.decodeUnknownOption(ObjectId)

/** The result with these units. */
const resultOf = ({ base }: Pick<PlanSnapshot, "base">, units: ReadonlyArray<UnitRecord>): ObjectId =>
  Option.getOrElse(decode(units.findLast(({ state }) => state === "merged")?.commit), () => base)

/** From the target at submission to the merged units. */
export const ofJob = (snapshot: PlanSnapshot, { units }: Work): Range => ({
  base: snapshot.targetAt,
  head: resultOf(snapshot, units)
})

/**
 * From the unit's start to the last completed task of its plan; none if there is no such unit. The turn at a conflict commits a merge,
 * which has what other units have done, too.
 */
export const ofUnit = (
  snapshot: Pick<PlanSnapshot, "base">,
  { tasks, units }: Work,
  name: string
): Option.Option<Range> =>
  Option.map(Option.fromNullable(units.find(({ unit }) => unit === name)), (record) => {
    const last = units.findLastIndex(({ unit }) => record.dependsOn.includes(unit))
    // A unit that was not started has no base; it would start at this commit.
    const base = Option.getOrElse(decode(record.base), () => resultOf(snapshot, units.slice(0, last + 1)))
    const done = tasks.findLast(
      ({ resolves, state, unit }) => unit === name && state === "completed" && resolves === undefined
    )
    return { base, head: Option.getOrElse(decode(done?.commit), () => base) }
  })
