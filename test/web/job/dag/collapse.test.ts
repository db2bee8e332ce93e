import { describe, expect, it } from "@effect/vitest"
import type { UnitState } from "../../../../src/domain/Work.js"
import { collapse, expand } from "../../../../src/web/job/dag/collapse.js"

const unit = (id: string, state: UnitState, ...dependsOn: ReadonlyArray<string>) => ({ id, state, dependsOn })

const many = (count: number, state: UnitState, ...dependsOn: ReadonlyArray<string>) =>
  Array.from({ length: count }, (_, at) => unit(`${state}${at}`, state, ...dependsOn))

describe("collapsing a graph", () => {
  it("merges units in the same state with the same neighbours, and keeps what runs or has failed", () => {
    const units = [
      unit("base", "merged"),
      ...many(200, "merged", "base"),
      ...many(3, "running", "base"),
      ...many(1, "failed", "base"),
      ...many(290, "pending", "base")
    ]
    const nodes = collapse(units, new Set())
    expect(nodes.map(({ id, units }) => [id, units.length])).toEqual([
      ["base", 1],
      ["merged0", 200],
      ["running0", 1],
      ["running1", 1],
      ["running2", 1],
      ["failed0", 1],
      ["pending0", 290]
    ])
    expect(nodes[1]?.dependsOn).toEqual(["base"])
    expect(nodes.flatMap(({ units }) => units)).toHaveLength(units.length)
  })

  it("merges what is equally far from the beginning where a large plan has hardly two units alike", () => {
    const first = many(20, "merged")
    const second = Array.from({ length: 400 }, (_, at) =>
      unit(`b${at}`, at < 30 ? "merged" : "pending", `merged${at % 20}`)
    )
    const last = Array.from({ length: 20 }, (_, at) => unit(`c${at}`, "pending", `b${at}`, `b${at + 40}`))
    const nodes = collapse([...first, unit("hot", "running", "merged1"), ...second, ...last], new Set(["b399"]))
    expect(nodes.map(({ id, units }) => [id, units.length])).toEqual([
      ["merged0", 20],
      ["hot", 1],
      ["b0", 30],
      ["b30", 369],
      ["b399", 1],
      ["c0", 20]
    ])
    // Circles in a foreign plan end.
    expect(
      collapse(
        Array.from({ length: 100 }, (_, at) => unit(`u${at}`, "pending", `u${(at + 1) % 100}`)),
        new Set()
      ).length
    ).toBeGreaterThan(0)
  })

  it("points the dependents of a merged group at it", () => {
    const units = [...many(5, "merged"), unit("last", "pending", "merged0", "merged1", "merged2", "merged3", "merged4")]
    expect(collapse(units, new Set())[1]).toMatchObject({ id: "last", dependsOn: ["merged0"] })
  })

  it("leaves alone those that are to be shown, and groups of fewer than four", () => {
    expect(collapse(many(6, "pending"), new Set(["pending3"])).map(({ units }) => units.length)).toEqual([5, 1])
    expect(collapse(many(3, "pending"), new Set())).toHaveLength(3)
  })

  it("leaves out dependencies on units that do not exist", () => {
    expect(collapse([unit("a", "pending", "missing")], new Set())).toMatchObject([{ dependsOn: [] }])
    expect(expand([unit("a", "pending", "missing")])).toMatchObject([{ dependsOn: [] }])
  })
})
