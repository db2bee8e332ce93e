/**
 * Lays a graph out in layers from left to right. It replaces a library: dagre takes 3 to 5 seconds of CPU for 500 units with 1,000
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
  /** The column from 0, left to right, and the row in it from 0, top to bottom. */
  readonly column: number
  readonly row: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Edge {
  readonly from: string
  readonly to: string
  /** The middles of the columns in between, where the edge passes other nodes. */
  readonly way: ReadonlyArray<Point>
}

export interface Layout {
  readonly positions: ReadonlyMap<string, Position>
  /** The edges that no other edges imply. */
  readonly edges: ReadonlyArray<Edge>
  /** The ids of the nodes in each column, top to bottom. */
  readonly columns: ReadonlyArray<ReadonlyArray<string>>
  readonly width: number
  readonly height: number
}

export const nodeWidth = 208
export const nodeHeight = 46
const columnGap = 56
const rowGap = 14

/** The height that an edge needs to pass other nodes. */
const wayHeight = 4

/** With more, ways would take more space than the nodes; then edges run behind the nodes. */
const mostWays = 800

/** A layer with more nodes is split into several columns, so that a wide plan is not a single endless column. */
const maxRows = 24

const sweeps = 8

/** With more nodes, all dependencies are drawn: finding implied ones takes quadratic memory. */
const mostReduced = 1_000

/** Assigns layers by the longest path from a node without dependencies; a dependency that closes a cycle is ignored. */
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

type Link = Pick<Edge, "from" | "to">

/** Leaves out each edge that a longer path implies (transitive reduction). */
const reduce = (nodes: ReadonlyArray<LayoutNode>, layers: ReadonlyMap<string, number>): ReadonlyArray<Link> => {
  const layer = (id: string): number => layers.get(id) ?? 0
  const ancestors = new Map<string, Set<string>>()
  const edges: Array<Link> = []
  for (const { dependsOn, id } of [...nodes].sort((a, b) => layer(a.id) - layer(b.id))) {
    const all = new Set<string>()
    // Nearest first: everything that they reach is implied.
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

const neighbours = (edges: ReadonlyArray<Link>, side: "from" | "to"): ReadonlyMap<string, ReadonlyArray<string>> => {
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

/** Orders each layer by the mean position of its neighbours, back and forth, which leaves few crossings. */
const order = (columns: ReadonlyArray<Array<string>>, edges: ReadonlyArray<Link>): void => {
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
 * The positions nearest to the desired ones that keep the order and leave room for each: neighbours that would overlap form a block
 * at the mean of their desired positions (isotonic regression).
 */
export const spread = (wishes: ReadonlyArray<number>, sizes: ReadonlyArray<number>): ReadonlyArray<number> => {
  const offsets: Array<number> = []
  for (const [at, size] of sizes.entries()) {
    offsets.push(at === 0 ? 0 : (offsets[at - 1] ?? 0) + ((sizes[at - 1] ?? 0) + size) / 2)
  }
  const blocks: Array<{ sum: number; size: number }> = []
  wishes.forEach((wish, at) => {
    let block = { sum: wish - (offsets[at] ?? 0), size: 1 }
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
  return bases.map((base, at) => base + (offsets[at] ?? 0))
}

/** The middle of each node and way of the columns. */
const placeRows = (
  columns: ReadonlyArray<ReadonlyArray<string>>,
  edges: ReadonlyArray<Link>,
  sizeOf: (id: string) => number
): ReadonlyMap<string, number> => {
  const before = neighbours(edges, "from")
  const after = neighbours(edges, "to")
  const rows = new Map<string, number>()
  const place = (column: ReadonlyArray<string>, wishes: ReadonlyArray<number>): void =>
    spread(wishes, column.map(sizeOf)).forEach((row, at) => rows.set(column[at] ?? "", row))
  for (const column of columns) place(column, Array<number>(column.length).fill(0))
  for (let sweep = 0; sweep < 6; sweep++) {
    const isForward = sweep % 2 === 0
    for (const column of isForward ? columns : [...columns].reverse()) {
      const wishes = column.map((id) => {
        const others = ((isForward ? before : after).get(id) ?? []).map((other) => rows.get(other) ?? 0)
        return others.length === 0 ? (rows.get(id) ?? 0) : mean(others)
      })
      place(column, wishes)
    }
  }
  return rows
}

/** For each edge, the ids of its placeholders in the columns that it passes. */
type Ways = ReadonlyMap<Link, ReadonlyArray<string>>

const waysOf = (columns: ReadonlyArray<ReadonlyArray<string>>, edges: ReadonlyArray<Link>): Ways => {
  const columnOf = new Map(columns.flatMap((ids, column) => ids.map((id) => [id, column])))
  const ways = new Map<Link, ReadonlyArray<string>>()
  let count = 0
  edges.forEach((edge, at) => {
    const [from, to] = [columnOf.get(edge.from) ?? 0, columnOf.get(edge.to) ?? 0]
    const passed = Array.from({ length: Math.max(0, to - from - 1) }, (_, step) =>
      JSON.stringify([at, from + 1 + step])
    )
    count += passed.length
    ways.set(edge, passed)
  })
  return count > mostWays ? new Map() : ways
}

const breakColumns = (columns: ReadonlyArray<ReadonlyArray<string>>): Array<Array<string>> =>
  columns.flatMap((column) => {
    const parts = Math.ceil(column.length / maxRows)
    const size = Math.ceil(column.length / parts)
    return Array.from({ length: parts }, (_, part) => column.slice(part * size, (part + 1) * size))
  })

export const layout = (nodes: ReadonlyArray<LayoutNode>): Layout => {
  const layers = layersOf(nodes)
  const links = reduce(nodes, layers)
  const layered: Array<Array<string>> = []
  for (const [id, layer] of layers) (layered[layer] ??= []).push(id)
  order(layered, links)

  const columns = breakColumns(layered)
  const ways = waysOf(columns, links)
  const columnOf = new Map(columns.flatMap((ids, column) => ids.map((id) => [id, column])))
  const isWay = new Set<string>()
  const steps = links.flatMap((link) => {
    const passed = ways.get(link) ?? []
    passed.forEach((id, at) => {
      isWay.add(id)
      columns[(columnOf.get(link.from) ?? 0) + 1 + at]?.push(id)
    })
    const all = [link.from, ...passed, link.to]
    return all.slice(1).map((to, at) => ({ from: all[at] ?? "", to }))
  })
  if (isWay.size > 0) order(columns, steps)
  const rows = placeRows(columns, steps, (id) => (isWay.has(id) ? wayHeight : nodeHeight) + rowGap)

  const shown = columns.map((ids) => ids.filter((id) => !isWay.has(id)))
  const top = Math.min(0, ...Array.from(rows.values(), (row) => row - nodeHeight / 2))
  const xOf = (column: number): number => column * (nodeWidth + columnGap)
  const positions = new Map<string, Position>()
  shown.forEach((ids, column) =>
    ids.forEach((id, row) =>
      positions.set(id, { column, row, x: xOf(column), y: (rows.get(id) ?? 0) - nodeHeight / 2 - top })
    )
  )
  const edges = links.map((link) => ({
    ...link,
    way: (ways.get(link) ?? []).map((id, at) => ({
      x: xOf((columnOf.get(link.from) ?? 0) + 1 + at) + nodeWidth / 2,
      y: (rows.get(id) ?? 0) - top
    }))
  }))
  const height = Math.max(0, ...Array.from(rows.values(), (row) => row - top + nodeHeight / 2))
  const width = columns.length === 0 ? 0 : xOf(columns.length) - columnGap
  return { positions, edges, columns: shown, width, height }
}
