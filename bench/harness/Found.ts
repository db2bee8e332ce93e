/**
 * The measurements in results.json.
 */
import type { Line } from "./Benchmark.js"

export interface Found {
  readonly title: string
  readonly machine: string
  /** Of what was used: the system, Node, packages and servers. */
  readonly versions: string
  readonly commit: string
  /** Day and time, in UTC. */
  readonly date: string
  /** The load average at the start; above 1 or so, other programs were busy. */
  readonly load: number
  readonly lines: ReadonlyArray<Line>
}

/** By the name of the benchmark. */
export type Results = { readonly [name: string]: Found }

/** What was measured last. */
export const newest = (results: Results): Found | undefined =>
  Object.values(results).reduce<Found | undefined>(
    (last, found) => (last === undefined || found.date > last.date ? found : last),
    undefined
  )
