/**
 * The phases of a job in order, each with a point at which a test can pause it, and a job whose manager ends in each of them.
 */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import type { Config } from "./Scenes.js"
import * as Witness from "./Witness.js"

export interface Phase {
  readonly name: string
  readonly at: Witness.Point
  /** How often an uninterrupted job reaches that point before it is the intended one. */
  readonly times?: number
  /** Git is not interrupted there: closing waits for it, which takes milliseconds unless the test pauses it. */
  readonly isShielded?: boolean
}

/** The phases of the job of `Witness.twoUnits`, one unit at a time. */
export const phases: ReadonlyArray<Phase> = [
  { name: "a worktree is made", at: ["before", "worktree add *"], isShielded: true },
  { name: "its files are written", at: ["before", "read-tree -m *"] },
  { name: "setup", at: ["step", "setup"] },
  { name: "agent", at: ["step", "agent-a1"] },
  { name: "gate", at: ["step", "gate-a1"] },
  { name: "a commit is written", at: ["before", "commit-tree *"] },
  {
    name: "a commit is recorded, and its branch not moved",
    at: ["before", "update-ref */unit/a * *"],
    isShielded: true
  },
  {
    name: "a branch is moved, and its commit not complete",
    at: ["after", "update-ref */unit/a * *"],
    isShielded: true
  },
  { name: "a unit is recorded, and the result not moved", at: ["before", "update-ref */result * *"], isShielded: true },
  { name: "a branch of a unit is removed", at: ["before", "update-ref * -d */unit/a *"] },
  { name: "merge", at: ["before", "merge-tree *"] },
  { name: "a merge is laid out", at: ["before", "read-tree --reset *"], isShielded: true },
  { name: "gate of the merged result", at: ["step", "gate-b1"], times: 2 },
  { name: "baseline", at: ["step", "baseline"], times: 2 },
  {
    name: "the result is moved, and the unit not complete",
    at: ["after", "update-ref */result * *"],
    times: 2,
    isShielded: true
  },
  { name: "landing", at: ["before", "update-ref *refs/heads/main *"], isShielded: true }
]

/** One run of a manager: it starts or resumes the job, reaches a point, and ends. */
export type Life<E, R> = (world: Witness.World, phase: Phase, config: Config | undefined) => Effect.Effect<void, E, R>

/**
 * Ends a manager in each phase and resumes with the next one; the last one completes the job, with the same result as undisturbed.
 */
export const endure = <E, R>(job: Witness.Job, phases: ReadonlyArray<Phase>, live: Life<E, R>) =>
  Effect.gen(function* () {
    const { config, world } = job
    const expected = yield* Witness.undisturbed()
    const lookBack = Witness.lookBack(job, expected)
    for (const [index, phase] of phases.entries()) {
      yield* Witness.holdAt(world, phase.at)
      yield* live(world, phase, index === 0 ? config : undefined)
      const { status } = yield* lookBack
      expect(["running", "interrupted"]).toContain(status)
    }
    const { attempt } = yield* Witness.comesOut(job, expected)
    expect(attempt).toBe(phases.length + 1)
  })
