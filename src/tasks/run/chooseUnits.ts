/**
 * The units on which a retry works, if it does not work on all: named ones, and those that depend on them.
 */
import { Array, Either, Option } from "effect"
import { Plan, type Unit } from "../plan/Plan.js"

export interface Options {
  readonly plan: Plan
  /** The names of units; all if undefined. */
  readonly wanted: ReadonlyArray<string> | undefined
  /** The job that has the work of a unit, if the job before has left it out. */
  readonly ownerOf: (unit: string) => Option.Option<string>
  /** Whether the result of the job before contains the unit. */
  readonly isMerged: (unit: string) => boolean
}

export interface Chosen {
  /** The plan with the chosen units, and with those that are done. */
  readonly plan: Plan
  readonly leftOut: ReadonlyArray<Unit>
  /** Whether a unit is worked on. */
  readonly isChosen: (unit: string) => boolean
}

/** Fails with the problem of a name, or of a unit that depends on one that is not done. */
export const choose = ({ isMerged, ownerOf, plan, wanted }: Options): Either.Either<Chosen, string> => {
  const { units } = plan
  for (const name of wanted ?? []) {
    const unit = units.find(({ id }) => id === name)
    if (unit === undefined) return Either.left(`there is no unit ${name}: ${listed(units)}`)
    const owner = ownerOf(name)
    if (Option.isSome(owner))
      return Either.left(`unit ${name} was left to job ${owner.value}: charlotte retry ${owner.value} --unit ${name}`)
  }
  const isDone = ({ id, remaining }: Unit): boolean => remaining.length === 0 || isMerged(id)
  const done = new Set(units.filter(isDone).map(({ id }) => id))
  const chosen = new Set<string>()
  for (const { dependsOn, id } of units) {
    if (Option.isSome(ownerOf(id)) && !done.has(id)) continue
    const isNamed = wanted === undefined || wanted.includes(id)
    if (!isNamed && !dependsOn.some((unit) => chosen.has(unit))) continue
    const missing = dependsOn.filter((unit) => !chosen.has(unit) && !done.has(unit))
    if (missing.length === 0) chosen.add(id)
    else if (wanted?.includes(id) === true) {
      const more = missing.map((unit) => ` --unit ${unit}`).join("")
      return Either.left(`unit ${id} depends on ${missing.join(", ")}, not done yet: add${more}`)
    }
  }
  const [leftOut, kept] = Array.partition(units, ({ id }) => chosen.has(id) || done.has(id))
  return Either.right({ plan: new Plan({ ...plan, units: kept }), leftOut, isChosen: (unit) => chosen.has(unit) })
}

/** The names of all units, after a wrong one. */
export const listed = (units: ReadonlyArray<Unit>): string =>
  units.length === 1 ? `the only one is ${units[0]?.id}` : `the units are ${units.map(({ id }) => id).join(", ")}`
