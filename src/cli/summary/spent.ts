/**
 * What jobs have cost, by the day on which they ended.
 */
import { Array, type DateTime } from "effect"
import type { Cost } from "../../domain/Cost.js"
import type { ListedJob } from "../../http/contract/Api.js"
import * as costs from "../../progress/cost.js"
import * as format from "../terminal/format.js"

export interface Spent {
  readonly cost: Cost
  /** How many jobs it is the cost of. */
  readonly jobs: number
}

export interface OfDay extends Spent {
  /** `2026-01-31` */
  readonly day: string
}

export const of = (jobs: ReadonlyArray<ListedJob>): Spent | undefined => {
  const all = jobs.flatMap(({ cost }) => cost ?? [])
  const cost = costs.sum(all)
  return cost && { cost, jobs: all.length }
}

/** The latest day first. */
export const byDay = (jobs: ReadonlyArray<ListedJob>, zone: DateTime.TimeZone): ReadonlyArray<OfDay> => {
  const ended = jobs.flatMap((job) =>
    job.endedAt === undefined ? [] : [{ job, day: format.dateTime(job.endedAt, zone).slice(0, 10) }]
  )
  return Object.entries(Array.groupBy(ended, ({ day }) => day))
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .flatMap(([day, ofDay]) => {
      const spent = of(ofDay.map(({ job }) => job))
      return spent === undefined ? [] : [{ day, ...spent }]
    })
}
