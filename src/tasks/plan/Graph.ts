/**
 * Topological sorting. The result is deterministic: it does not depend on the insertion order of nodes and edges.
 */

/** Each node with its dependencies, which must be nodes of the graph. */
export type Graph<K extends string | number> = ReadonlyMap<K, Iterable<K>>

/** Reported cycles per graph. */
const maxCycles = 20

/**
 * Sorts nodes topologically, dependencies first, ties by smallest node. Each cycle is reported as a closed path, such as
 * `[2, 3, 2]`; `order` ignores the first edge of each cycle.
 */
export const sort = <K extends string | number>(
  graph: Graph<K>
): { readonly order: ReadonlyArray<K>; readonly cycles: ReadonlyArray<ReadonlyArray<K>> } => {
  const order: Array<K> = []
  const cycles: Array<ReadonlyArray<K>> = []
  const ready: Array<K> = []
  const waiting = new Map<K, Set<K>>()
  const dependants = new Map<K, Array<K>>()

  for (const [node, dependencies] of graph) {
    const open = new Set(dependencies)
    waiting.set(node, open)
    for (const dependency of open) {
      const others = dependants.get(dependency)
      if (others === undefined) dependants.set(dependency, [node])
      else others.push(node)
    }
  }

  const satisfy = (node: K, dependency: K) => {
    const open = waiting.get(node)
    open?.delete(dependency)
    if (open?.size === 0) release(node)
  }
  const release = (node: K) => {
    waiting.delete(node)
    insert(ready, node)
  }

  for (const [node, open] of [...waiting]) if (open.size === 0) release(node)

  while (order.length < graph.size) {
    const node = ready.shift()
    if (node !== undefined) {
      order.push(node)
      for (const dependant of dependants.get(node) ?? []) satisfy(dependant, node)
    } else {
      const cycle = findCycle(waiting)
      const [first, second] = cycle
      if (first === undefined || second === undefined || cycles.push(cycle) === maxCycles) break
      satisfy(first, second)
    }
  }
  return { order, cycles }
}

/** Follows the smallest open dependencies until a node repeats, which must happen if no node is ready. */
const findCycle = <K extends string | number>(waiting: ReadonlyMap<K, ReadonlySet<K>>): ReadonlyArray<K> => {
  const path = new Map<K, number>()
  let node = smallest(waiting.keys())
  while (node !== undefined && !path.has(node)) {
    path.set(node, path.size)
    node = smallest(waiting.get(node) ?? [])
  }
  if (node === undefined) return []
  const cycle = [...path.keys()].slice(path.get(node))
  const start = smallest(cycle)
  const offset = start === undefined ? 0 : cycle.indexOf(start)
  const rotated = [...cycle.slice(offset), ...cycle.slice(0, offset)]
  return [...rotated, ...rotated.slice(0, 1)]
}

/**
 * Groups topologically sorted nodes so that the dependencies of a node are in earlier groups; the order within a group is kept.
 */
export const waves = <K extends string | number>(
  nodes: Iterable<readonly [K, ReadonlyArray<K>]>
): ReadonlyArray<ReadonlyArray<K>> => {
  const waves: Array<Array<K>> = []
  const level = new Map<K, number>()
  for (const [node, dependencies] of nodes) {
    const mine = dependencies.reduce((most, dependency) => Math.max(most, 1 + (level.get(dependency) ?? -1)), 0)
    level.set(node, mine)
    const wave = waves[mine]
    if (wave === undefined) waves.push([node])
    else wave.push(node)
  }
  return waves
}

const smallest = <K extends string | number>(nodes: Iterable<K>): K | undefined => {
  let least: K | undefined
  for (const node of nodes) if (least === undefined || node < least) least = node
  return least
}

/** Inserts a node into a sorted array. */
const insert = <K extends string | number>(sorted: Array<K>, node: K): void => {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = sorted[middle]
    if (other !== undefined && other < node) low = middle + 1
    else high = middle
  }
  sorted.splice(low, 0, node)
}
