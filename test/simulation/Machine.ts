/**
 * What outlives a crash of the manager's process, and what everything in the simulation shares.
 */
import { Cause } from "effect"
import type { Random } from "./Random.js"
import type { Timeline } from "./Timeline.js"
import type { Trace } from "./Trace.js"

export interface Machine {
  readonly random: Random
  readonly timeline: Timeline
  readonly trace: Trace
  /** Something that must never be. */
  readonly violate: (what: string) => void
  readonly violations: ReadonlyArray<string>
  /** Something takes longer now than it does by itself. */
  readonly disturb: () => void
  /** Since when nothing did. */
  readonly calmSince: () => number
  /** What the clock on the wall shows. It is virtual time until somebody sets the clock; whatever sleeps takes no notice. */
  readonly wallClock: () => number
  /** Sets that clock, by so many milliseconds. */
  readonly setClock: (millis: number) => void
  /** A short name for an id, the same in every run of the seed. */
  readonly nameOf: (id: string) => string
}

export const make = (shared: Pick<Machine, "random" | "timeline" | "trace">): Machine => {
  const violations: Array<string> = []
  const names = new Map<string, string>()
  let calmSince = shared.timeline.now()
  let ahead = 0
  return {
    ...shared,
    violations,
    violate: (what) => {
      violations.push(what)
      shared.trace.say(`VIOLATION ${what}`)
    },
    disturb: () => {
      calmSince = shared.timeline.now()
    },
    calmSince: () => calmSince,
    wallClock: () => shared.timeline.now() + ahead,
    setClock: (millis) => {
      ahead += millis
      calmSince = shared.timeline.now()
      shared.trace.say(`the clock is set by ${millis} ms`)
    },
    nameOf: (id) => {
      const name = names.get(id) ?? `job${names.size + 1}`
      names.set(id, name)
      return name
    }
  }
}

/** Without the stack: where the files are does not matter. */
export const firstLine = (cause: Cause.Cause<unknown>): string => Cause.pretty(cause).split("\n    at ")[0] ?? ""
