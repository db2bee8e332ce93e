/**
 * The measurements in results.json.
 */
import type { Line } from "./Benchmark.js"

export interface Found {
  readonly title: string
  readonly commit: string
  readonly date: string
  readonly runs: number
  /** The load average at the start; above 1 or so, other programs were busy. */
  readonly load: number
  readonly lines: ReadonlyArray<Line>
}

export interface Machine {
  readonly versions: string
  readonly found: { readonly [name: string]: Found }
}

export type Results = { readonly [machine: string]: Machine }
