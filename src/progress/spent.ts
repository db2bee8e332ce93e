/**
 * What jobs have cost, by the day on which they ended.
 */
import type { Cost } from "../domain/Cost.js"
import * as costs from "./cost.js"

export interface Spent {
  readonly cost: Cost
  /** How many jobs it is the cost of. */
  readonly jobs: number
}

export interface OfDay extends Spent {
  /** `2026-01-31` */
  readonly day: string
}

interface Job {
  readonly cost?: Cost | undefined
}

export const of = (jobs: ReadonlyArray<Job>): Spent | undefined => {
  const all = jobs.flatMap(({ cost }) => cost ?? [])
  const cost = costs.sum(all)
  return cost && { cost, jobs: all.length }
}

/** The latest day first. `dayOf` gives the day of a time in the zone of the reader. */
export const byDay = <Time>(
  jobs: ReadonlyArray<Job & { readonly endedAt?: Time | undefined }>,
  dayOf: (time: Time) => string
): ReadonlyArray<OfDay> => {
  const days = new Map<string, Array<Job>>()
  for (const job of jobs) {
    if (job.endedAt === undefined) continue
    const day = dayOf(job.endedAt)
    const ofDay = days.get(day) ?? []
    days.set(day, ofDay)
    ofDay.push(job)
  }
  return [...days]
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .flatMap(([day, ofDay]) => {
      const spent = of(ofDay)
      return spent === undefined ? [] : [{ day, ...spent }]
    })
}
