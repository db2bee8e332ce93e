import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as Graph from "../../../src/tasks/plan/Graph.js"

const graph = <K extends string | number>(...edges: ReadonlyArray<readonly [K, ...ReadonlyArray<K>]>) =>
  new Map(edges.map(([node, ...dependencies]) => [node, dependencies]))

describe("Graph.sort", () => {
  it("puts dependencies first, ties by smallest node", () => {
    expect(Graph.sort(graph([3], [2, 10], [10], [1, 2]))).toEqual({ order: [3, 10, 2, 1], cycles: [] })
    expect(Graph.sort(graph(["d", "b", "c"], ["c", "a"], ["b", "a"], ["a"])).order).toEqual(["a", "b", "c", "d"])
  })

  it("reports each cycle as a path from its smallest node", () => {
    expect(Graph.sort(graph([3, 2], [2, 3], [1, 2])).cycles).toEqual([[2, 3, 2]])
    expect(Graph.sort(graph(["c", "a"], ["b", "c"], ["a", "b"])).cycles).toEqual([["a", "b", "c", "a"]])
    expect(Graph.sort(graph([1, 2, 3], [2, 1], [3, 1])).cycles).toEqual([
      [1, 2, 1],
      [1, 3, 1]
    ])
  })

  it("terminates for a graph that consists of cycles", () => {
    const nodes = Array.from({ length: 300 }, (_, node) => node)
    const all = new Map(nodes.map((node) => [node, nodes.filter((other) => other !== node)]))
    expect(Graph.sort(all).cycles).toHaveLength(20)
  })

  /** Acyclic graphs: edges lead to smaller indices, under random names. */
  const acyclic = fc
    .tuple(
      fc.integer({ min: 1, max: 40 }),
      fc.infiniteStream(fc.nat()),
      fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 120 })
    )
    .map(([size, names, pairs]) => {
      const taken = new Set<number>()
      for (const name of names) if (taken.add(name).size === size) break
      const nodes = [...taken]
      const edges = new Map(nodes.map((node) => [node, new Set<number>()]))
      for (const [a, b] of pairs) {
        const [low, high] = [Math.min(a % size, b % size), Math.max(a % size, b % size)]
        const to = nodes[low]
        if (low !== high && to !== undefined) edges.get(nodes[high] ?? to)?.add(to)
      }
      return edges
    })

  it("respects every dependency of any acyclic graph", () => {
    fc.assert(
      fc.property(acyclic, (edges) => {
        const { cycles, order } = Graph.sort(edges)
        const place = new Map(order.map((node, index) => [node, index]))
        expect(cycles).toEqual([])
        expect(place.size).toBe(edges.size)
        for (const [node, dependencies] of edges) {
          for (const dependency of dependencies) expect(place.get(dependency)).toBeLessThan(place.get(node) ?? -1)
        }
      })
    )
  })

  it("does not depend on insertion order", () => {
    fc.assert(
      fc.property(acyclic, (edges) => {
        expect(Graph.sort(new Map([...edges].reverse()))).toEqual(Graph.sort(edges))
      })
    )
  })

  it("finds a cycle in any cyclic graph, and only real ones", () => {
    const any = fc.array(fc.uniqueArray(fc.nat(11), { maxLength: 4 }), { minLength: 12, maxLength: 12 })
    fc.assert(
      fc.property(any, (lists) => {
        const edges = new Map(lists.map((list, node) => [node, list.filter((other) => other !== node)]))
        const { cycles, order } = Graph.sort(edges)
        for (const cycle of cycles) {
          expect(cycle[0]).toBe(cycle.at(-1))
          expect(cycle[0]).toBe(Math.min(...cycle))
          for (const [index, node] of cycle.slice(1).entries()) expect(edges.get(cycle[index] ?? -1)).toContain(node)
        }
        const done = new Set<number>()
        const inOrder = order.every((node) => edges.get(node)?.every((other) => done.has(other)) && done.add(node))
        expect(cycles.length === 0).toBe(inOrder && order.length === edges.size)
      })
    )
  })

  it("waves depend on earlier waves only", () => {
    fc.assert(
      fc.property(acyclic, (edges) => {
        const { order } = Graph.sort(edges)
        const waves = Graph.waves(order.map((node) => [node, [...(edges.get(node) ?? [])]]))
        const level = new Map(waves.flatMap((wave, index) => wave.map((node) => [node, index])))
        expect(level.size).toBe(edges.size)
        for (const [node, dependencies] of edges) {
          const latest = Math.max(-1, ...[...dependencies].map((dependency) => level.get(dependency) ?? Infinity))
          expect(level.get(node)).toBe(latest + 1)
        }
      })
    )
  })
})
