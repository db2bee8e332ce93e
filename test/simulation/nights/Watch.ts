/**
 * What the database shows of waits and limits, read after each commit: no turn begins before a limit resets, one turn probes whether the
 * agent works again, and nothing waits for longer than it has to.
 */
import type { Database } from "../Database.js"
import type { Machine } from "../Machine.js"
import { isObject, maybe, number, text } from "../rows.js"

export interface Watch {
  readonly refresh: () => void
  /** A turn of an agent begins. */
  readonly begins: (turn: { readonly agent: string; readonly by: number; readonly isAlive: () => boolean }) => void
  /** What has waited for too long, now that time has passed. */
  readonly check: () => void
  readonly counts: () => {
    readonly answers: number
    readonly parks: number
    readonly probes: number
    readonly limits: number
  }
}

/** What is due happens within so many milliseconds. */
const soon = 5_000

interface Limit {
  readonly until: number
  readonly changedAt: number
  probe?: { readonly by: number; readonly isAlive: () => boolean; endedAt?: number }
}

interface Wait {
  readonly job: string
  readonly unit: string
  readonly until: number
  readonly since: number
  readonly reason: string
}

/** The agents whose limits a unit waits for, as the reason says. */
const limited =
  /(\w+) (?:is at its usage limit|has nothing left to spend|does not reach its service|gets no answer from its model)/g

export const make = (
  machine: Machine,
  database: Database,
  options: {
    readonly onEvent: (job: string, type: string, payload: unknown) => void
    readonly onAsked: (job: string, unit: string) => void
    readonly onProposed: (job: string) => void
    /** Since when the manager is ready; undefined if there is none. */
    readonly readySince: () => number | undefined
  }
): Watch => {
  const { calmSince, nameOf, timeline, trace, violate, wallClock } = machine
  const limits = new Map<string, Limit>()
  const freeSince = new Map<string, number>()
  const waits = new Map<string, Wait>()
  const counts = { answers: 0, parks: 0, probes: 0, limits: 0 }
  let cursor = 0

  const takeEvent = (row: unknown) => {
    cursor = number(row, "cursor")
    const [job, type, unit] = [text(row, "job_id"), text(row, "type"), maybe(row, "unit")]
    const payload: unknown = JSON.parse(maybe(row, "payload") ?? "null")
    options.onEvent(job, type, payload)
    if (type === "job.parked") {
      counts.parks += 1
      if (isObject(payload) && payload["approval"] !== undefined) options.onProposed(job)
    }
    // A job that has ended waits for nothing, nor does one whose manager has died until it continues.
    if (/^job\.(completed|failed|cancelled|interrupted)$/.test(type))
      for (const [place, wait] of waits) if (wait.job === job) waits.delete(place)
    if (unit === null) return
    const place = `unit ${unit} of ${nameOf(job)}`
    waits.delete(place)
    if (type === "unit.asked") options.onAsked(job, unit)
    if (type === "unit.answered") counts.answers += 1
    if (type !== "unit.waiting") return
    const reason = text(payload, "reason")
    trace.say(`${place} waits: ${reason}`)
    const until = isObject(payload) && typeof payload["until"] === "string" ? Date.parse(payload["until"]) : undefined
    if (until !== undefined) waits.set(place, { job, unit, until, reason, since: timeline.now() })
  }

  const takeLimits = () => {
    const found = new Map(
      database
        .query("SELECT agent, until FROM charlotte_agent_limits")
        .map((row) => [text(row, "agent"), number(row, "until")])
    )
    for (const [agent, until] of found)
      if (limits.get(agent)?.until !== until) {
        trace.say(`${agent} is limited for ${until - wallClock()} ms`)
        counts.limits += 1
        limits.set(agent, { until, changedAt: timeline.now() })
      }
    for (const agent of limits.keys())
      if (!found.has(agent)) {
        trace.say(`${agent} is free`)
        limits.delete(agent)
        freeSince.set(agent, timeline.now())
      }
  }

  /** Whether a turn that may end the wait is at work, or was until now. */
  const isProbed = ({ probe }: Limit): boolean => {
    if (probe === undefined) return false
    if (!probe.isAlive()) probe.endedAt ??= timeline.now()
    return probe.endedAt === undefined || timeline.now() - probe.endedAt <= soon
  }

  return {
    refresh: () => {
      const events = "SELECT cursor, job_id, type, unit, payload FROM charlotte_events WHERE cursor > ? ORDER BY cursor"
      database.query(events, cursor).forEach(takeEvent)
      takeLimits()
    },
    begins: ({ agent, by, isAlive }) => {
      const limit = limits.get(agent)
      if (limit === undefined) return
      const isDue = wallClock() >= limit.until
      // Before that, the turn may have been admitted before the limit was reached, or the clock was set.
      const isSure = timeline.now() - Math.max(limit.changedAt, calmSince()) > soon
      if (isSure && !isDue) violate(`a turn of ${agent} begins ${limit.until - wallClock()} ms before its reset`)
      if (isSure && limit.probe?.by === by && limit.probe.isAlive()) violate(`two turns probe ${agent} at one reset`)
      if (!isDue) return
      counts.probes += 1
      trace.say(`the turn probes ${agent}`)
      limit.probe = { by, isAlive }
    },
    check: () => {
      const ready = options.readySince()
      if (ready === undefined) return
      const now = timeline.now()
      const isLate = (...since: ReadonlyArray<number>) => now - Math.max(ready, calmSince(), ...since) > soon
      for (const [place, { reason, since, until }] of waits) {
        const isNamed = ([agent]: readonly [string, unknown]) => reason.includes(agent)
        const freed = [...freeSince].filter(isNamed).map(([, since]) => since)
        // The unit may wait for the probe of another of its agents, or is about to wait for what a probe has met.
        const changed = [...limits.values()].map(({ changedAt }) => changedAt)
        const isAwaited = [...limits.values()].some(isProbed)
        if (wallClock() - until > soon && isLate(since, ...freed, ...changed) && !isAwaited)
          violate(`${place} waits for ${wallClock() - until} ms after a reset: ${reason}`)
        for (const [, agent = ""] of reason.matchAll(limited)) {
          const free = limits.has(agent) ? undefined : freeSince.get(agent)
          // What was to wake it may have been lost with the process; then it waits until the reset.
          if (free === undefined || free < ready || free < since) continue
          if (isLate(free)) violate(`${place} waits for ${agent}, which works again since ${now - free} ms: ${reason}`)
        }
      }
    },
    counts: () => counts
  }
}
