/**
 * What outlives a crash of the manager's process, and what everything in the simulation shares.
 */
import { Cause } from "effect"
import * as Random from "./Random.js"
import * as Timeline from "./Timeline.js"
import * as Trace from "./Trace.js"

export interface Machine {
  readonly random: Random.Random
  readonly timeline: Timeline.Timeline
  readonly trace: Trace.Trace
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

/** The machine of a seed, whose virtual time begins at `start`; its trace keeps so many of its last lines. */
export const ofSeed = (
  seed: number,
  { keep = 60, start }: { readonly keep?: number | undefined; readonly start: number }
): Machine => {
  const timeline = Timeline.make(start)
  const trace = Trace.make({ now: () => timeline.now() - start, keep })
  return make({ random: Random.make(seed), timeline, trace })
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
