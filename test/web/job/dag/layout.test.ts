import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { layout, nodeHeight, nodeWidth, spread } from "../../../../src/web/job/dag/layout.js"
import { neighbour } from "../../../../src/web/job/dag/neighbour.js"

const graph = (edges: Readonly<Record<string, ReadonlyArray<string>>>) =>
  Object.entries(edges).map(([id, dependsOn]) => ({ id, dependsOn }))

/** Each node depends on earlier ones only. */
const graphs = fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 80 }).map((all) =>
  all.map((picks, at) => ({
    id: `u${at}`,
    dependsOn: at === 0 ? [] : [...new Set(picks.map((pick) => `u${pick % at}`))]
  }))
)

describe("the layout of a graph", () => {
  it("has every unit right of all that it depends on, and none over another", () => {
    fc.assert(
      fc.property(graphs, (nodes) => {
        const { positions } = layout(nodes)
        expect(positions.size).toBe(nodes.length)
        for (const { dependsOn, id } of nodes) {
          for (const other of dependsOn) {
            expect(positions.get(other)?.x).toBeLessThan(positions.get(id)?.x ?? Number.NaN)
          }
        }
        const byColumn = Map.groupBy(positions.values(), ({ column }) => column)
        for (const column of byColumn.values()) {
          const ys = column.map(({ y }) => y).sort((a, b) => a - b)
          ys.slice(1).forEach((y, at) => expect(y - (ys[at] ?? 0)).toBeGreaterThan(nodeHeight))
        }
      }),
      { numRuns: 50 }
    )
  })

  it("draws no dependency that others imply", () => {
    const { edges } = layout(graph({ a: [], b: ["a"], c: ["a", "b"] }))
    expect(edges).toEqual([
      { from: "a", to: "b", way: [] },
      { from: "b", to: "c", way: [] }
    ])
  })

  it("leads a dependency past the nodes that stand between, not behind them", () => {
    const { edges, positions } = layout(graph({ a: [], b: ["a"], c: ["b"], lone: [], d: ["c", "lone"] }))
    const edge = edges.find(({ from, to }) => from === "lone" && to === "d")
    expect(edge?.way).toHaveLength(2)
    const nodes = [...positions.values()]
    for (const { x, y } of edge?.way ?? []) {
      const behind = nodes.filter(
        (node) => node.x <= x && x <= node.x + nodeWidth && node.y <= y && y <= node.y + nodeHeight
      )
      expect(behind).toEqual([])
    }
  })

  it("takes circles, unknown dependencies, and no units at all", () => {
    const { edges, positions } = layout(graph({ a: ["b", "missing"], b: ["a"], c: ["c"] }))
    expect([...positions.keys()].sort()).toEqual(["a", "b", "c"])
    expect(edges.length).toBeLessThanOrEqual(1)
    expect(layout([])).toMatchObject({ width: 0, height: 0, columns: [] })
  })

  it("breaks a layer of 500 units into columns that fit on a few screens", () => {
    const { columns, height } = layout(Array.from({ length: 500 }, (_, at) => ({ id: `u${at}`, dependsOn: [] })))
    expect(columns.flat()).toHaveLength(500)
    expect(height).toBeLessThan(1_600)
  })

  it("does not go deeper into the stack for a longer chain", () => {
    const chain = Array.from({ length: 20_000 }, (_, at) => ({
      id: `u${at}`,
      dependsOn: at === 0 ? [] : [`u${at - 1}`]
    }))
    expect(layout(chain.reverse()).columns).toHaveLength(20_000)
  })

  it("puts places apart as near as can be to where they wish to be", () => {
    expect(spread([0, 100, 300], [10, 10, 10])).toEqual([0, 100, 300])
    expect(spread([50, 50], [10, 10])).toEqual([45, 55])
    expect(spread([0, 0, 0, 100], [10, 10, 10, 10])).toEqual([-10, 0, 10, 100])
    expect(spread([0, 0], [4, 20])).toEqual([-6, 6])
  })

  it("leads an arrow key along a dependency, or to what stands beside", () => {
    const laid = layout(graph({ a: [], b: ["a"], c: ["a"], lone: [] }))
    const [first = "", second = ""] = laid.columns[1] ?? []
    expect(neighbour(laid, "a", "right")).toBe(first === "b" ? "b" : first)
    expect(neighbour(laid, "c", "left")).toBe("a")
    expect(neighbour(laid, first, "down")).toBe(second)
    expect(neighbour(laid, second, "up")).toBe(first)
    expect(neighbour(laid, "lone", "left")).toBeUndefined()
    expect(neighbour(laid, "a", "last")).toBe(laid.columns.at(-1)?.at(-1))
  })
})
