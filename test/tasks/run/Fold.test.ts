import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Fold from "../../../src/tasks/run/Fold.js"
import { pair, type World, worlds } from "./Worlds.js"

/** What a commit contains: the work of units, and the conflicts that were resolved in it. */
interface Commit {
  readonly units: ReadonlySet<string>
  readonly resolved: ReadonlySet<string>
}

interface Outcome {
  readonly states: Record<string, Fold.Standing>
  readonly tips: Record<string, ReadonlyArray<string>>
  readonly result: ReadonlyArray<string>
  readonly order: ReadonlyArray<string>
  /** The conflicts in the order in which they were resolved. */
  readonly resolved: ReadonlyArray<string>
}

const pairs = (a: Commit, b: Commit): ReadonlyArray<string> =>
  [...a.units]
    .filter((unit) => !b.units.has(unit))
    .flatMap((unit) => [...b.units].filter((other) => !a.units.has(other)).map((other) => pair(unit, other)))

const union = (a: Commit, b: Commit, ...resolved: ReadonlyArray<string>): Commit => ({
  units: new Set([...a.units, ...b.units]),
  resolved: new Set([...a.resolved, ...b.resolved, ...resolved])
})

/** Runs the plan: `pick` chooses which of the units that can go on does so next, and when the manager is killed. */
const run = ({ conflicts, doomed, red, units }: World, pick: (count: number) => number): Outcome => {
  const states = new Map<string, Fold.Standing>(units.map(({ id }) => [id, "open"]))
  const plan: Fold.Plan = { units, standing: (id) => states.get(id) ?? "open" }
  const tips = new Map<string, Commit>()
  const results = new Map<string | undefined, Commit>([[undefined, { units: new Set(), resolved: new Set() }]])
  const started = new Map<string, Commit>()
  const unmergeable = new Set<string>()
  const order: Array<string> = []
  const resolved: Array<string> = []
  const of = (commits: ReadonlyMap<string | undefined, Commit>, key: string | undefined): Commit => {
    const commit = commits.get(key)
    if (commit === undefined) throw new Error(`there is no commit of ${key}`)
    return commit
  }
  const clash = (a: Commit, b: Commit) =>
    pairs(a, b).filter((pair) => conflicts.has(pair) && !a.resolved.has(pair) && !b.resolved.has(pair))
  const isRed = ({ units }: Commit) => [...red].some((pair) => pair.split(" ").every((unit) => units.has(unit)))

  const startOf = (start: Fold.Start): Commit | undefined =>
    Fold.Start.$match(start, {
      Base: () => of(results, undefined),
      Result: ({ after }) => of(results, after),
      Tips: ({ of: ids }) => {
        const merged = ids
          .map((id) => of(tips, id))
          .reduce<Commit | undefined>(
            (all, tip) => (all === undefined || clash(all, tip).length > 0 ? undefined : union(all, tip)),
            of(results, undefined)
          )
        return merged === undefined || (ids.length > 1 && isRed(merged)) ? undefined : merged
      }
    })

  /** What a unit can do now. */
  const step = (node: Fold.Node): (() => void) | undefined => {
    const { id } = node
    const state = states.get(id)
    const lose = () => void states.set(id, "lost")
    const start = started.get(id)
    if (state === "open" && start !== undefined)
      return () => {
        if (doomed.has(id) || Fold.lost(plan, node).length > 0) return lose()
        tips.set(id, { ...start, units: new Set([...start.units, id]) })
        states.set(id, "done")
      }
    if (state === "open") {
      const next = Fold.begin(plan, node, unmergeable.has(id))
      if (next._tag === "Wait") return undefined
      if (next._tag === "Blocked") return lose
      return () => {
        const commit = startOf(next.value)
        if (commit === undefined) unmergeable.add(id)
        else started.set(id, commit)
      }
    }
    if (state !== "done") return undefined
    const next = Fold.fold(plan, node)
    if (next._tag === "Wait") return undefined
    if (next._tag === "Blocked") return lose
    return () => {
      const [ours, theirs] = [of(results, next.value), of(tips, id)]
      const clashes = clash(ours, theirs)
      if (clashes.some((pair) => conflicts.get(pair) === false)) return lose()
      const merged = union(ours, theirs, ...clashes)
      if (isRed(merged)) return lose()
      resolved.push(...clashes)
      results.set(id, merged)
      order.push(id)
      states.set(id, "merged")
    }
  }

  for (;;) {
    const ready = units.map(step).filter((act) => act !== undefined)
    if (ready.length === 0) break
    // That tips do not go together is not recorded: it is found again.
    if (pick(10) % 10 === 0) unmergeable.clear()
    ready[pick(ready.length) % ready.length]?.()
  }
  return {
    states: Object.fromEntries(states),
    tips: Object.fromEntries([...tips].map(([id, { units }]) => [id, [...units].toSorted()])),
    result: [...of(results, order.at(-1)).units].toSorted(),
    order,
    resolved
  }
}

const speeds = fc.infiniteStream(fc.nat(1000))

const next = (speeds: Iterator<number>) => () => Number(speeds.next().value ?? 0)

describe("the model of units side by side", () => {
  it("has the same result at any speed and over kills, without the work of failed units, and resolves nothing twice", () => {
    fc.assert(
      fc.property(worlds(9), speeds, speeds, (world, some, others) => {
        const outcome = run(world, next(some))
        const other = run(world, next(others))
        expect(outcome.order).toEqual(other.order)
        expect(outcome.result).toEqual(other.result)
        expect(outcome.resolved).toEqual(other.resolved)
        expect(outcome.states).toEqual(other.states)
        for (const [id, tip] of Object.entries(outcome.tips)) expect(other.tips[id] ?? tip).toEqual(tip)

        // Each unit is merged or lost, and what the result contains was merged into it.
        expect(Object.values(outcome.states).filter((state) => state !== "merged" && state !== "lost")).toEqual([])
        expect(outcome.result).toEqual(outcome.order.toSorted())
        expect(outcome.order.filter((id) => outcome.states[id] !== "merged")).toEqual([])
        expect(new Set(outcome.resolved).size).toBe(outcome.resolved.length)

        // Only failures of their own, and those of units that they depend on, keep units from the result.
        const { conflicts, doomed, red, units } = world
        const touched = new Set([...doomed, ...[...conflicts.keys(), ...red].flatMap((pair) => pair.split(" "))])
        const hindered = units.reduce(
          (all, { dependsOn, id }) =>
            touched.has(id) || dependsOn.some((other) => all.has(other)) ? all.add(id) : all,
          new Set<string>()
        )
        const free = units.filter(({ id }) => !hindered.has(id)).map(({ id }) => id)
        expect(free.filter((id) => outcome.states[id] !== "merged")).toEqual([])
      }),
      { numRuns: 200 }
    )
  })

  const plan = (standings: Record<string, Fold.Standing>, units: ReadonlyArray<Fold.Node>): Fold.Plan => ({
    units,
    standing: (id) => standings[id] ?? "open"
  })
  const [api, slow, web, top] = [
    { id: "api", dependsOn: [] },
    { id: "slow", dependsOn: [] },
    { id: "web", dependsOn: ["api"] },
    { id: "top", dependsOn: ["slow", "api"] }
  ]
  const units = [api, slow, web, top]

  it("lets a unit begin at the tip of the one that it depends on, while a stranger is at work", () => {
    expect(Fold.begin(plan({ api: "done" }, units), web, false)).toEqual(
      Fold.Next.Ready({ value: Fold.Start.Tips({ of: ["api"] }) })
    )
    expect(Fold.begin(plan({ api: "empty" }, units), web, false)).toEqual(Fold.Next.Ready({ value: Fold.Start.Base() }))
    expect(Fold.fold(plan({ api: "merged", web: "done" }, units), web)).toEqual(Fold.Next.Wait({ for: ["slow"] }))
  })

  it("merges the tips of several units in the order of the plan, or waits until all of them are merged", () => {
    const done = plan({ api: "done", slow: "done" }, units)
    expect(Fold.begin(done, top, false)).toEqual(Fold.Next.Ready({ value: Fold.Start.Tips({ of: ["api", "slow"] }) }))
    expect(Fold.begin(done, top, true)).toEqual(Fold.Next.Wait({ for: ["api", "slow"] }))
    expect(Fold.begin(plan({ api: "merged", slow: "merged" }, units), top, true)).toEqual(
      Fold.Next.Ready({ value: Fold.Start.Result({ after: "slow" }) })
    )
  })

  it("blocks a unit once one that it depends on is lost, even if its own tasks are done", () => {
    const lost = plan({ api: "lost", slow: "merged", web: "done" }, units)
    expect(Fold.begin(lost, top, true)).toEqual(Fold.Next.Blocked({ by: ["api"] }))
    expect(Fold.fold(lost, web)).toEqual(Fold.Next.Blocked({ by: ["api"] }))
  })

  it("blocks a unit once one that its dependencies depend on is lost, even if they are done", () => {
    const last = { id: "last", dependsOn: ["web"] }
    const lost = plan({ api: "lost", web: "done" }, [...units, last])
    expect(Fold.begin(lost, last, false)).toEqual(Fold.Next.Blocked({ by: ["web"] }))
  })
})
