/** Random plans, and what happens to their units. */
import * as fc from "fast-check"
import type * as Fold from "../../../src/tasks/run/Fold.js"

/** A plan, and everything about its units but how long each of them takes. */
export interface World {
  readonly units: ReadonlyArray<Fold.Node>
  /** Units whose tasks fail. */
  readonly doomed: ReadonlySet<string>
  /** Pairs of units that conflict, such as `u1 u4`, and whether that can be resolved. */
  readonly conflicts: ReadonlyMap<string, boolean>
  /** Pairs of units whose gates fail together. */
  readonly red: ReadonlySet<string>
}

export const pair = (a: string, b: string): string => [a, b].toSorted().join(" ")

/** Plans with diamonds, chains and strangers, in which each unit depends on units before it. */
export const worlds = (max: number): fc.Arbitrary<World> =>
  fc.integer({ min: 2, max }).chain((count) => {
    const ids = Array.from({ length: count }, (_, index) => `u${index}`)
    const all = ids.flatMap((a, i) => ids.slice(i + 1).map((b) => pair(a, b)))
    const some = <A>(items: ReadonlyArray<A>, maxLength: number) =>
      fc.subarray([...items], { maxLength: Math.min(maxLength, items.length) })
    return fc.record({
      units: fc
        .tuple(...ids.map((_, index) => some(ids.slice(0, index), 3)))
        .map((all) => all.map((dependsOn, index) => ({ id: `u${index}`, dependsOn }))),
      doomed: some(ids, 2).map((some) => new Set(some)),
      conflicts: some(all, 3).chain((some) =>
        fc
          .array(fc.boolean(), { minLength: some.length, maxLength: some.length })
          .map((resolvable) => new Map(some.map((pair, index) => [pair, resolvable[index] ?? false])))
      ),
      red: some(all, 2).map((some) => new Set(some))
    })
  })
