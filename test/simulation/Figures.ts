/**
 * What many runs come to.
 */
import { Schema } from "effect"
import type { Report } from "./Simulation.js"

/** What is simulated: one manager after the other, or several nodes at once. */
export type Subject = "one" | "cluster"

export const Failure = Schema.Struct({
  seed: Schema.Int,
  violations: Schema.Array(Schema.String),
  digest: Schema.String,
  trace: Schema.Array(Schema.String)
})

export type Failure = typeof Failure.Type

export const Figures = Schema.Struct({
  seeds: Schema.Int,
  steps: Schema.Int,
  jobs: Schema.Int,
  events: Schema.Int,
  /** Units of jobs of tasks that were merged. */
  merges: Schema.Int,
  crashes: Schema.Int,
  /** Crashes while processes of jobs were alive. */
  alive: Schema.Int,
  /** In virtual milliseconds. */
  recovery: Schema.Number,
  failures: Schema.Array(Failure),
  slowest: Schema.Struct({ seed: Schema.Int, millis: Schema.Number }),
  /** Of all traces, in whatever order they were made. */
  digest: Schema.String
})

export type Figures = typeof Figures.Type

export const none: Figures = {
  seeds: 0,
  steps: 0,
  jobs: 0,
  events: 0,
  merges: 0,
  crashes: 0,
  alive: 0,
  recovery: 0,
  failures: [],
  slowest: { seed: 0, millis: 0 },
  digest: "0"
}

export const both = (a: Figures, b: Figures): Figures => ({
  seeds: a.seeds + b.seeds,
  steps: a.steps + b.steps,
  jobs: a.jobs + b.jobs,
  events: a.events + b.events,
  merges: a.merges + b.merges,
  crashes: a.crashes + b.crashes,
  alive: a.alive + b.alive,
  recovery: Math.max(a.recovery, b.recovery),
  failures: [...a.failures, ...b.failures],
  slowest: a.slowest.millis > b.slowest.millis ? a.slowest : b.slowest,
  digest: (BigInt(`0x${a.digest}`) ^ BigInt(`0x${b.digest}`)).toString(16)
})

export const ofOne = (report: Report, millis: number): Figures => ({
  ...report,
  seeds: 1,
  failures: report.violations.length > 0 ? [report] : [],
  slowest: { seed: report.seed, millis }
})

const many = (count: number) => count.toLocaleString("en-US")

/** In one line. */
export const line = ({
  alive,
  crashes,
  events,
  failures,
  jobs,
  merges,
  recovery,
  seeds,
  slowest,
  steps
}: Figures): string =>
  [
    `simulation: ${many(seeds)} seeds`,
    `${many(steps)} steps`,
    `${many(jobs)} jobs`,
    `${many(events)} events`,
    `${many(merges)} merges`,
    `${many(crashes)} crashes (${many(alive)} with live processes)`,
    `${failures.length} violations`,
    `slowest recovery ${many(Math.round(recovery))} virtual ms`,
    `slowest seed ${slowest.seed} (${(slowest.millis / 1000).toFixed(1)} s)`
  ].join(", ")

/** What went wrong, and how to see it again. */
export const describe = ({ digest, seed, trace, violations }: Failure, of: Subject = "one"): string =>
  [
    `seed ${seed} (trace ${digest}):`,
    ...violations.map((violation) => `  ${violation}`),
    "the last of what happened:",
    ...trace.map((line) => `  ${line}`),
    `see it again: npm run simulate -- ${of === "cluster" ? "--cluster " : ""}--seed ${seed}`
  ].join("\n")
