/**
 * Merges units that a person need not tell apart into one node of the graph, so that a plan of hundreds of units fits on a screen.
 */
import type { UnitState } from "../../../domain/Work.js"

export interface GraphUnit {
  readonly id: string
  readonly dependsOn: ReadonlyArray<string>
  readonly state: UnitState
}

/** A unit, or several in the same state, with the same dependencies and the same dependents. */
export interface Node {
  /** Of its first unit. */
  readonly id: string
  readonly state: UnitState
  readonly units: ReadonlyArray<string>
  /** Ids of nodes. */
  readonly dependsOn: ReadonlyArray<string>
}

/** Fewer alike units are shown one by one. */
const fewest = 4

/** What needs a person or is at work is never hidden. */
const mayHide: { readonly [S in UnitState]: boolean } = {
  pending: true,
  merged: true,
  skipped: true,
  blocked: true,
  running: false,
  failed: false
}

const dependentsOf = (units: ReadonlyArray<GraphUnit>): ReadonlyMap<string, ReadonlyArray<string>> => {
  const dependents = new Map<string, Array<string>>()
  for (const { dependsOn, id } of units) {
    for (const other of dependsOn) {
      const known = dependents.get(other)
      if (known === undefined) dependents.set(other, [id])
      else known.push(id)
    }
  }
  return dependents
}

/** `shown` are the units that stay by themselves: the selected one, and those of an opened group. */
export const collapse = (units: ReadonlyArray<GraphUnit>, shown: ReadonlySet<string>): ReadonlyArray<Node> => {
  const dependents = dependentsOf(units)
  const groups = new Map<string, Array<GraphUnit>>()
  for (const unit of units) {
    const alike = JSON.stringify([unit.state, [...unit.dependsOn].sort(), dependents.get(unit.id)?.toSorted() ?? []])
    const key = mayHide[unit.state] && !shown.has(unit.id) ? alike : `unit ${unit.id}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [unit])
    else group.push(unit)
  }
  const parts = [...groups.values()].flatMap((group) => (group.length < fewest ? group.map((unit) => [unit]) : [group]))
  const nodeOf = new Map(parts.flatMap((part) => part.map(({ id }) => [id, part[0]?.id ?? id])))
  return parts.map((part) => ({
    id: part[0]?.id ?? "",
    state: part[0]?.state ?? "pending",
    units: part.map(({ id }) => id),
    dependsOn: [
      ...new Set(
        part.flatMap(({ dependsOn }) => dependsOn.map((id) => nodeOf.get(id)).filter((id) => id !== undefined))
      )
    ]
  }))
}

/** Every unit as a node of its own. */
export const expand = (units: ReadonlyArray<GraphUnit>): ReadonlyArray<Node> => {
  const known = new Set(units.map(({ id }) => id))
  return units.map(({ dependsOn, id, state }) => ({
    id,
    state,
    units: [id],
    dependsOn: [...new Set(dependsOn)].filter((other) => known.has(other))
  }))
}
