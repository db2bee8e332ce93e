/**
 * The model of how units side by side become one result: where a unit begins, and when it is merged.
 *
 * - A unit begins once all units that it depends on are done, and waits for no other: at the base of the job, at the tip of the one
 *   unit that it depends on, or at the merge of their tips in the order of the plan. If those tips conflict, or fail their gates
 *   together, it begins at the result, once all of them are in it: so nothing is resolved twice.
 * - The units are folded into the result in the order of the plan, each once all before it are settled. So the result depends on the
 *   tips of the units alone, and neither on the concurrency nor on how long each unit takes.
 * - A unit of which a dependency failed is blocked, even if all of its tasks are done: it contains the work of that unit.
 */
import { Data } from "effect"

export interface Node {
  readonly id: string
  readonly dependsOn: ReadonlyArray<string>
}

/**
 * - `open`: it has tasks to do
 * - `done`: all of its tasks are committed, so it has a tip
 * - `empty`: it had no tasks to do, and so has nothing to merge
 * - `merged`: it is in the result
 * - `lost`: it failed or is blocked, so it will be in no result
 */
export type Standing = "open" | "done" | "empty" | "merged" | "lost"

/** The units in the order of the plan, in which each comes after the units that it depends on; and how each of them stands. */
export interface Plan {
  readonly units: ReadonlyArray<Node>
  readonly standing: (id: string) => Standing
}

/** Where a unit begins. */
export type Start = Data.TaggedEnum<{
  /** The base of the job. */
  Base: {}
  /** The tips of these units, merged in this order. */
  Tips: { readonly of: ReadonlyArray<string> }
  /** The result as of the merge of this unit. */
  Result: { readonly after: string }
}>
export const Start = Data.taggedEnum<Start>()

export type Next<A> = Data.TaggedEnum<{
  /** Not before these units are done, or settled if the unit waits for them to be merged. */
  Wait: { readonly for: ReadonlyArray<string> }
  /** Never, since these units are in no result. */
  Blocked: { readonly by: ReadonlyArray<string> }
  Ready: { readonly value: A }
}>
interface NextDefinition extends Data.TaggedEnum.WithGenerics<1> {
  readonly taggedEnum: Next<this["A"]>
}
export const Next = Data.taggedEnum<NextDefinition>()

const isSettled = (standing: Standing): boolean => standing !== "open" && standing !== "done"

/** Also a unit that is not recorded as blocked yet, but will be. */
const isLost = (plan: Plan, id: string): boolean => {
  const standing = plan.standing(id)
  if (isSettled(standing)) return standing === "lost"
  return plan.units.find((unit) => unit.id === id)?.dependsOn.some((other) => isLost(plan, other)) === true
}

/** The units that a unit depends on and that will be in no result. */
export const lost = (plan: Plan, { dependsOn }: Node): ReadonlyArray<string> =>
  dependsOn.filter((id) => isLost(plan, id))

/** Where a unit begins; `areUnmergeable` once the tips of the units that it depends on have not gone together. */
export const begin = (plan: Plan, node: Node, areUnmergeable: boolean): Next<Start> => {
  const by = lost(plan, node)
  if (by.length > 0) return Next.Blocked({ by })
  const dependencies = plan.units.filter(({ id }) => node.dependsOn.includes(id)).map(({ id }) => id)
  const open = dependencies.filter((id) =>
    areUnmergeable ? !isSettled(plan.standing(id)) : plan.standing(id) === "open"
  )
  if (open.length > 0) return Next.Wait({ for: open })
  const of = dependencies.filter((id) => plan.standing(id) !== "empty")
  const after = of.at(-1)
  if (after === undefined) return Next.Ready({ value: Start.Base() })
  return Next.Ready({ value: areUnmergeable ? Start.Result({ after }) : Start.Tips({ of }) })
}

/** The unit onto whose merge a unit that is done is merged; none if it is the first in the result. */
export const fold = (plan: Plan, node: Node): Next<string | undefined> => {
  const by = lost(plan, node)
  if (by.length > 0) return Next.Blocked({ by })
  const before = plan.units.slice(
    0,
    plan.units.findIndex(({ id }) => id === node.id)
  )
  const open = before.filter(({ id }) => !isSettled(plan.standing(id)))
  if (open.length > 0) return Next.Wait({ for: open.map(({ id }) => id) })
  return Next.Ready({ value: before.findLast(({ id }) => plan.standing(id) === "merged")?.id })
}
