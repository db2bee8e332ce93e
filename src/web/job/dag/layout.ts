/**
 * Lays a graph out in layers from left to right. In place of a library: dagre takes 3 to 5 seconds of CPU for 500 units with 1,000
 * dependencies, which freezes the page, and 17 KB compressed; this takes some milliseconds.
 */

export interface LayoutNode {
  readonly id: string
  /** Ids of other nodes. */
  readonly dependsOn: ReadonlyArray<string>
}

export interface Position {
  readonly x: number
  readonly y: number
  /** From 0, left to right; and from 0 within it, top to bottom. */
  readonly column: number
  readonly row: number
}

export interface Edge {
  readonly from: string
  readonly to: string
}

export interface Layout {
  readonly positions: ReadonlyMap<string, Position>
  /** Without those that others imply. */
  readonly edges: ReadonlyArray<Edge>
  /** The ids of each column, top to bottom. */
  readonly columns: ReadonlyArray<ReadonlyArray<string>>
  readonly width: number
  readonly height: number
}

export const nodeWidth = 208
export const nodeHeight = 46
const columnGap = 56
const rowGap = 14
const pitch = nodeHeight + rowGap

/** A layer with more nodes is broken into several columns, so that a wide plan is not a single endless one. */
const maxRows = 24

const sweeps = 8

/** Of more nodes all dependencies are drawn: to find those that others imply takes memory by the square. */
const mostReduced = 1_000

/** By the longest path from a node without dependencies; a dependency that closes a circle is ignored. */
const layersOf = (nodes: ReadonlyArray<LayoutNode>): ReadonlyMap<string, number> => {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const layers = new Map<string, number>()
  const visit = (start: LayoutNode): void => {
    // An explicit stack: a chain may be longer than the call stack is deep.
    const stack: Array<{ readonly node: LayoutNode; next: number }> = [{ node: start, next: 0 }]
    const open = new Set([start.id])
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const dependency = top.node.dependsOn[top.next]
      top.next += 1
      if (dependency === undefined) {
        const below = top.node.dependsOn.map((id) => layers.get(id) ?? -1)
        layers.set(top.node.id, Math.max(-1, ...below) + 1)
        open.delete(top.node.id)
        stack.pop()
        continue
      }
      const node = byId.get(dependency)
      if (node === undefined || layers.has(dependency) || open.has(dependency)) continue
      open.add(dependency)
      stack.push({ node, next: 0 })
    }
  }
  for (const node of nodes) if (!layers.has(node.id)) visit(node)
  return layers
}

/** Leaves out each edge beside which there is a longer way. */
const reduce = (nodes: ReadonlyArray<LayoutNode>, layers: ReadonlyMap<string, number>): ReadonlyArray<Edge> => {
  const layer = (id: string): number => layers.get(id) ?? 0
  const ancestors = new Map<string, Set<string>>()
  const edges: Array<Edge> = []
  for (const { dependsOn, id } of [...nodes].sort((a, b) => layer(a.id) - layer(b.id))) {
    const all = new Set<string>()
    // The nearest first: what they reach is implied.
    const near = [...new Set(dependsOn)].filter((other) => layers.has(other) && layer(other) < layer(id))
    for (const from of near.sort((a, b) => layer(b) - layer(a))) {
      if (!all.has(from)) edges.push({ from, to: id })
      all.add(from)
      for (const ancestor of ancestors.get(from) ?? []) all.add(ancestor)
    }
    if (nodes.length <= mostReduced) ancestors.set(id, all)
  }
  return edges
}

const neighbours = (edges: ReadonlyArray<Edge>, side: "from" | "to"): ReadonlyMap<string, ReadonlyArray<string>> => {
  const found = new Map<string, Array<string>>()
  for (const edge of edges) {
    const key = edge[side === "from" ? "to" : "from"]
    const known = found.get(key)
    if (known === undefined) found.set(key, [edge[side]])
    else known.push(edge[side])
  }
  return found
}

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Orders each layer by the mean place of the neighbours, back and forth, which leaves few crossings. */
const order = (columns: Array<Array<string>>, edges: ReadonlyArray<Edge>): void => {
  const before = neighbours(edges, "from")
  const after = neighbours(edges, "to")
  const place = new Map<string, number>()
  const number = (column: ReadonlyArray<string>): void => column.forEach((id, at) => place.set(id, at / column.length))
  columns.forEach(number)
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const isForward = sweep % 2 === 0
    const side = isForward ? before : after
    for (const column of isForward ? columns : [...columns].reverse()) {
      const wish = new Map(
        column.map((id) => {
          const places = (side.get(id) ?? []).map((other) => place.get(other) ?? 0)
          return [id, places.length === 0 ? (place.get(id) ?? 0) : mean(places)]
        })
      )
      column.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0))
      number(column)
    }
  }
}

/**
 * The places nearest to the wishes that keep the order and the distance: neighbours that would overlap form a block, which stands
 * at the mean of what its members wish (isotonic regression).
 */
export const spread = (wishes: ReadonlyArray<number>, distance: number): ReadonlyArray<number> => {
  const blocks: Array<{ sum: number; size: number }> = []
  wishes.forEach((wish, at) => {
    let block = { sum: wish - at * distance, size: 1 }
    for (
      let last = blocks.at(-1);
      last !== undefined && last.sum / last.size > block.sum / block.size;
      last = blocks.at(-1)
    ) {
      block = { sum: last.sum + block.sum, size: last.size + block.size }
      blocks.pop()
    }
    blocks.push(block)
  })
  const bases = blocks.flatMap(({ size, sum }) => Array<number>(size).fill(sum / size))
  return bases.map((base, at) => base + at * distance)
}

const placeRows = (
  columns: ReadonlyArray<ReadonlyArray<string>>,
  edges: ReadonlyArray<Edge>
): ReadonlyMap<string, number> => {
  const before = neighbours(edges, "from")
  const after = neighbours(edges, "to")
  const rows = new Map<string, number>()
  for (const column of columns) column.forEach((id, at) => rows.set(id, (at - (column.length - 1) / 2) * pitch))
  for (let sweep = 0; sweep < 6; sweep++) {
    const isForward = sweep % 2 === 0
    for (const column of isForward ? columns : [...columns].reverse()) {
      const wishes = column.map((id) => {
        const others = ((isForward ? before : after).get(id) ?? []).map((other) => rows.get(other) ?? 0)
        return others.length === 0 ? (rows.get(id) ?? 0) : mean(others)
      })
      spread(wishes, pitch).forEach((row, at) => rows.set(column[at] ?? "", row))
    }
  }
  return rows
}

export const layout = (nodes: ReadonlyArray<LayoutNode>): Layout => {
  const layers = layersOf(nodes)
  const edges = reduce(nodes, layers)
  const columns: Array<Array<string>> = []
  for (const [id, layer] of layers) (columns[layer] ??= []).push(id)
  order(columns, edges)
  const broken = columns.flatMap((column) => {
    const parts = Math.ceil(column.length / maxRows)
    const size = Math.ceil(column.length / parts)
    return Array.from({ length: parts }, (_, part) => column.slice(part * size, (part + 1) * size))
  })
  const rows = placeRows(broken, edges)
  const top = Math.min(0, ...rows.values())
  const positions = new Map<string, Position>()
  broken.forEach((ids, column) =>
    ids.forEach((id, row) =>
      positions.set(id, { column, row, x: column * (nodeWidth + columnGap), y: (rows.get(id) ?? 0) - top })
    )
  )
  const height = Math.max(0, ...Array.from(positions.values(), ({ y }) => y + nodeHeight))
  const width = broken.length * (nodeWidth + columnGap) - (broken.length === 0 ? 0 : columnGap)
  return { positions, edges, columns: broken, width, height }
}
