/**
 * Merges units that a person need not tell apart into one node of the graph, so that a plan of hundreds of units fits on a screen.
 */
import type { ShownUnitState } from "../../../progress/shownState.js"

export interface GraphUnit {
  readonly id: string
  readonly dependsOn: ReadonlyArray<string>
  readonly state: ShownUnitState
}

/** A unit, or several in the same state: with the same dependencies and dependents, or in a large plan with the same depth. */
export interface Node {
  /** The id of the first unit. */
  readonly id: string
  readonly state: ShownUnitState
  readonly units: ReadonlyArray<string>
  /** Ids of nodes. */
  readonly dependsOn: ReadonlyArray<string>
}

/** Fewer similar units than this are shown one by one. */
const fewest = 4

/** Units that need a person or are running are never merged. */
const mayHide: { readonly [S in ShownUnitState]: boolean } = {
  pending: true,
  merged: true,
  skipped: true,
  blocked: true,
  running: false,
  "needs-answer": false,
  waiting: false,
  interrupted: false,
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

/** A plan that still has more nodes than this is merged further. */
const most = 60

/** The distance of each unit from a unit without dependencies. */
const depths = (units: ReadonlyArray<GraphUnit>): ReadonlyMap<string, number> => {
  const byId = new Map(units.map((unit) => [unit.id, unit]))
  const found = new Map<string, number>()
  // Units usually come after their dependencies; otherwise another round is necessary.
  for (let changed = true, round = 0; changed && round < units.length; round++) {
    changed = false
    for (const { dependsOn, id } of units) {
      const depth =
        Math.max(-1, ...dependsOn.filter((other) => byId.has(other)).map((other) => found.get(other) ?? 0)) + 1
      if (found.get(id) === depth || depth > units.length) continue
      found.set(id, depth)
      changed = true
    }
  }
  return found
}

/** `shown` are the units that are not merged: the selected unit, and the units of an opened group. */
export const collapse = (units: ReadonlyArray<GraphUnit>, shown: ReadonlySet<string>): ReadonlyArray<Node> => {
  const dependents = dependentsOf(units)
  const strict = merge(units, ({ dependsOn, id, state }) =>
    mayHide[state] && !shown.has(id)
      ? JSON.stringify([state, [...dependsOn].sort(), dependents.get(id)?.toSorted() ?? []])
      : undefined
  )
  if (strict.length <= most + shown.size) return strict
  const depth = depths(units)
  return merge(units, ({ id, state }) =>
    mayHide[state] && !shown.has(id) ? JSON.stringify([state, depth.get(id)]) : undefined
  )
}

/** Units with the same key become one node; units without a key are not merged. */
const merge = (
  units: ReadonlyArray<GraphUnit>,
  keyOf: (unit: GraphUnit) => string | undefined
): ReadonlyArray<Node> => {
  const groups = new Map<string, Array<GraphUnit>>()
  for (const unit of units) {
    const key = keyOf(unit) ?? `unit ${unit.id}`
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

/** Makes every unit a separate node. */
export const expand = (units: ReadonlyArray<GraphUnit>): ReadonlyArray<Node> => {
  const known = new Set(units.map(({ id }) => id))
  return units.map(({ dependsOn, id, state }) => ({
    id,
    state,
    units: [id],
    dependsOn: [...new Set(dependsOn)].filter((other) => known.has(other))
  }))
}
