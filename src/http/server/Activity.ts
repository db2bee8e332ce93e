/**
 * The throughput and latencies of jobs in the last hour, and the running turns of agents, from their events. Kept in bounded memory
 * since the process started, so that none of it needs a database query.
 */
import { Context, DateTime, type Option } from "effect"
import { decodeTime } from "ulid"
import { type JobEvent, lifecycle } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import { Fields } from "../../progress/payload.js"
import type { Payloads } from "../../progress/vocabulary.js"
import { Histogram } from "./Histogram.js"

export class Activity extends Context.Tag("charlotte/http/Activity")<Activity, Service>() {}

export interface Minute {
  /** In minutes since 1970. */
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
  /** The number of running turns of an agent. */
  readonly turns: (agent: string) => number
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

/** A running job, for as long as it has a permit. */
interface Working {
  readonly since: number
  /** The agents of its turns, by unit and task. */
  readonly turns: Map<string, string>
}

export const make = (since: DateTime.Utc): Service & { readonly record: (event: JobEvent) => void } => {
  const minutes = new Map<number, Counted>()
  const working = new Map<JobId, Working>()

  const at = (minute: number): Counted => {
    const known = minutes.get(minute)
    if (known !== undefined) return known
    const added = empty(minute)
    minutes.set(minute, added)
    for (const old of minutes.keys()) if (old <= minute - kept) minutes.delete(old)
    return added
  }

  const lifecycleEvent = ({ at: time, jobId, type }: JobEvent) => {
    const millis = DateTime.toEpochMillis(time)
    switch (type) {
      case "job.started":
        at(minuteOf(time)).waits.add(millis - decodeTime(jobId))
        working.set(jobId, { since: millis, turns: new Map() })
        break
      case "job.resumed":
        working.set(jobId, { since: millis, turns: new Map() })
        break
      case "job.completed":
      case "job.failed":
      case "job.cancelled": {
        const minute = at(minuteOf(time))
        minute[lifecycle[type]] += 1
        const began = working.get(jobId)?.since
        if (began !== undefined) minute.durations.add(millis - began)
        working.delete(jobId)
        break
      }
      case "job.interrupted":
      case "job.parked":
        working.delete(jobId)
    }
  }

  const record = (event: JobEvent) => {
    if (event.type.startsWith("job.")) return lifecycleEvent(event)
    const turns = working.get(event.jobId)?.turns
    if (turns === undefined) return
    const task = `${event.unit}/${event.task}`
    if (event.type === "task.agent.started")
      turns.set(task, new Fields<Payloads["task.agent.started"]>(event.payload).text("agent"))
    if (event.type === "task.agent.ended") turns.delete(task)
    // An interrupted turn has no `task.agent.ended`.
    if (event.type === "unit.failed" || event.type === "unit.waiting") {
      for (const key of turns.keys()) if (key.startsWith(`${event.unit}/`)) turns.delete(key)
    }
  }

  return {
    since,
    record,
    minutes: (current) =>
      Array.from({ length: kept }, (_, i) => current - kept + 1 + i).map(
        (minute) => minutes.get(minute) ?? empty(minute)
      ),
    turns: (agent) =>
      [...working.values()].flatMap(({ turns }) => [...turns.values()].filter((other) => other === agent)).length
  }
}

/** The quantiles over several minutes. */
export const merged = (
  minutes: ReadonlyArray<Minute>,
  which: "waits" | "durations"
): Option.Option<{ readonly p50: number; readonly p95: number; readonly max: number }> =>
  Histogram.quantiles(minutes.map((minute) => minute[which]))
