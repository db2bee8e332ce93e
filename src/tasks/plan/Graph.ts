/**
 * Order among things that depend on each other. Everything here is deterministic: the same graph gives the same answer,
 * in whatever order it was put together.
 */

/** Every node and what it depends on; all of that must be nodes too. */
export type Graph<K extends string | number> = ReadonlyMap<K, Iterable<K>>

/** Enough to see what is wrong. */
const maxCycles = 20

/**
 * The nodes so that each comes after all it depends on, and where that leaves a choice, the smallest first. Where there
 * are cycles each is shown as a path that ends where it began, `[2, 3, 2]`, and the order is that of the graph without
 * the first step of each.
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

/** Walks along the smallest open dependencies until it comes by a second time: when nothing is ready, it must. */
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
  const turn = start === undefined ? 0 : cycle.indexOf(start)
  const turned = [...cycle.slice(turn), ...cycle.slice(0, turn)]
  return [...turned, ...turned.slice(0, 1)]
}

/**
 * Groups of nodes, each in the order in which they came: whatever a node depends on is in an earlier group. Takes nodes
 * in dependency order.
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

/** Into a sorted array. */
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
