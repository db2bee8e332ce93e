/**
 * The metrics of steps that have run in this process.
 */
import { counter, histogram } from "../../internal/instrument.js"

/** From 10 ms to an hour. */
const durations = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600]

export const total = counter("charlotte_steps_total", "Steps of jobs recorded in this process, by kind and outcome.")
export const seconds = histogram("charlotte_step_seconds", "Duration of steps of jobs, by kind, in seconds.", durations)

/** Counts a recorded step. */
export const count = (kind: string, { millis, ok }: { readonly millis: number; readonly ok: boolean }): void => {
  total.add({ kind, outcome: ok ? "succeeded" : "failed" }, 1)
  seconds.record(millis / 1_000, { kind })
}
