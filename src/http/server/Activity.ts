/**
 * The throughput and latencies of jobs in the last hour, from their events. Kept in bounded memory since the process started, so that
 * none of it needs a database query.
 */
import { Context, DateTime, type Option } from "effect"
import { decodeTime } from "ulid"
import { type JobEvent, lifecycle } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import { Histogram } from "./Histogram.js"

export class Activity extends Context.Tag("charlotte/http/Activity")<Activity, Service>() {}

export interface Minute {
  /** The minute, counted from 1970. */
  readonly minute: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly waits: Histogram
  readonly durations: Histogram
}

export interface Service {
  readonly since: DateTime.Utc
  /** The last 60 minutes up to this one, oldest first. */
  readonly minutes: (current: number) => ReadonlyArray<Minute>
}

export const minuteOf = (at: DateTime.Utc): number => Math.floor(DateTime.toEpochMillis(at) / 60_000)

const kept = 60

interface Counted extends Minute {
  completed: number
  failed: number
  cancelled: number
}

const empty = (minute: number): Counted => ({
  minute,
  completed: 0,
  failed: 0,
  cancelled: 0,
  waits: new Histogram(),
  durations: new Histogram()
})

export const make = (since: DateTime.Utc): Service & { readonly record: (event: JobEvent) => void } => {
  const minutes = new Map<number, Counted>()
  /** The running jobs, each since when it has a permit, in milliseconds. */
  const working = new Map<JobId, number>()

  const at = (minute: number): Counted => {
    const known = minutes.get(minute)
    if (known !== undefined) return known
    const added = empty(minute)
    minutes.set(minute, added)
    for (const old of minutes.keys()) if (old <= minute - kept) minutes.delete(old)
    return added
  }

  const record = ({ at: time, jobId, type }: JobEvent) => {
    const millis = DateTime.toEpochMillis(time)
    switch (type) {
      case "job.started":
        at(minuteOf(time)).waits.add(millis - decodeTime(jobId))
        working.set(jobId, millis)
        break
      case "job.resumed":
        working.set(jobId, millis)
        break
      case "job.completed":
      case "job.failed":
      case "job.cancelled": {
        const minute = at(minuteOf(time))
        minute[lifecycle[type]] += 1
        const began = working.get(jobId)
        if (began !== undefined) minute.durations.add(millis - began)
        working.delete(jobId)
        break
      }
      case "job.interrupted":
      case "job.parked":
        working.delete(jobId)
    }
  }

  return {
    since,
    record,
    minutes: (current) =>
      Array.from({ length: kept }, (_, i) => current - kept + 1 + i).map(
        (minute) => minutes.get(minute) ?? empty(minute)
      )
  }
}

/** The quantiles over several minutes. */
export const merged = (
  minutes: ReadonlyArray<Minute>,
  which: "waits" | "durations"
): Option.Option<{ readonly p50: number; readonly p95: number; readonly max: number }> =>
  Histogram.quantiles(minutes.map((minute) => minute[which]))
