/**
 * What many runs come to.
 */
import { Schema } from "effect"
import type { Report } from "./Simulation.js"

/**
 * What is simulated: one manager after the other, several nodes at once, nights of agents, their wordings, a schedule, groups, children, or
 * versions of a kind.
 */
export type Subject = "one" | "cluster" | "nights" | "wordings" | "schedules" | "groups" | "children" | "versions"

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
  /** Of nights. */
  night: Schema.Struct({
    turns: Schema.Int,
    limits: Schema.Int,
    probes: Schema.Int,
    parks: Schema.Int,
    answers: Schema.Int,
    /** How often other limits of money or tokens were set. */
    raises: Schema.Int
  }),
  failures: Schema.Array(Failure),
  slowest: Schema.Struct({ seed: Schema.Int, millis: Schema.Number }),
  /** Of all traces, in whatever order they were made. */
  digest: Schema.String
})

export type Figures = typeof Figures.Type

const noNight: Figures["night"] = { turns: 0, limits: 0, probes: 0, parks: 0, answers: 0, raises: 0 }

export const none: Figures = {
  seeds: 0,
  steps: 0,
  jobs: 0,
  events: 0,
  merges: 0,
  crashes: 0,
  alive: 0,
  recovery: 0,
  night: noNight,
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
  night: {
    turns: a.night.turns + b.night.turns,
    limits: a.night.limits + b.night.limits,
    probes: a.night.probes + b.night.probes,
    parks: a.night.parks + b.night.parks,
    answers: a.night.answers + b.night.answers,
    raises: a.night.raises + b.night.raises
  },
  failures: [...a.failures, ...b.failures],
  slowest: a.slowest.millis > b.slowest.millis ? a.slowest : b.slowest,
  digest: (BigInt(`0x${a.digest}`) ^ BigInt(`0x${b.digest}`)).toString(16)
})

export const ofOne = (report: Report, millis: number): Figures => ({
  ...report,
  night: report.night ?? noNight,
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
  night,
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
    ...(night.turns === 0
      ? []
      : [
          `${many(night.turns)} turns`,
          `${many(night.limits)} limits`,
          `${many(night.probes)} probes`,
          `${many(night.parks)} parks`,
          `${many(night.answers)} answers`,
          `${many(night.raises)} raised limits`
        ]),
    `${failures.length} violations`,
    `slowest recovery ${many(Math.round(recovery))} virtual ms`,
    `slowest seed ${slowest.seed} (${(slowest.millis / 1000).toFixed(1)} s)`
  ].join(", ")

const again: Readonly<Record<Subject, string>> = {
  one: "--seed",
  cluster: "--cluster --seed",
  nights: "--night",
  wordings: "--wordings --seed",
  schedules: "--schedules --seed",
  groups: "--groups --seed",
  children: "--children --seed",
  versions: "--versions --seed"
}

/** What went wrong, and how to see it again. */
export const describe = ({ digest, seed, trace, violations }: Failure, of: Subject = "one"): string =>
  [
    `seed ${seed} (trace ${digest}):`,
    ...violations.map((violation) => `  ${violation}`),
    "the last of what happened:",
    ...trace.map((line) => `  ${line}`),
    `see it again: npm run simulate -- ${again[of]} ${seed}`
  ].join("\n")
