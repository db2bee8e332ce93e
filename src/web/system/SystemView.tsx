/**
 * Capacity, queue, kinds, agents, throughput and latency.
 */
import { useEffect } from "preact/hooks"
import * as api from "../api/system.js"
import { hub, now, useLoaded } from "../app/live.js"
import { toJobs } from "../router.js"
import * as format from "../../progress/format.js"
import * as kindsApi from "../api/kinds.js"
import { Agents } from "./Agents.js"
import { useTitle } from "../ui/useTitle.js"
import { Kinds } from "./Kinds.js"
import { Activity, EventRate } from "./Activity.js"

/** How soon figures follow an event, and how old they may be without one. */
const soonMillis = 1_000
const laterMillis = 10_000

/** Reads again soon after an event, and periodically without one. */
const useRefresh = (reload: () => void): void => {
  useEffect(() => {
    let last = performance.now()
    let isDirty = false
    const stop = hub.subscribe((events) => {
      isDirty ||= events.some(({ type }) => type.startsWith("job.") || type.startsWith("task.agent."))
    })
    const timer = setInterval(() => {
      if (document.hidden || (!isDirty && performance.now() - last < laterMillis)) return
      isDirty = false
      last = performance.now()
      reload()
    }, soonMillis)
    return () => {
      stop()
      clearInterval(timer)
    }
  }, [])
}

const parkedAtMost = 10_000

const Gauges = ({ system }: { readonly system: api.System }) => {
  const { active, capacity, oldestPending, parked, pending } = system
  return (
    <dl class="gauges">
      <div>
        <dt>Running</dt>
        <dd>
          <a href={toJobs({ status: "running" })}>{active}</a>
          {capacity !== undefined && <span class="faint"> of {capacity}</span>}
        </dd>
        {capacity !== undefined && (
          <dd class="note">
            <meter min={0} max={capacity} value={active} aria-label={`${active} of ${capacity} places taken`} />
          </dd>
        )}
      </div>
      <div>
        <dt>Pending</dt>
        <dd>
          <a href={toJobs({ status: "pending" })}>{pending.toLocaleString("en")}</a>
        </dd>
        {oldestPending !== undefined && <dd class="note faint">the oldest for {format.clock(oldestPending)}</dd>}
      </div>
      <div>
        <dt>Parked</dt>
        <dd>
          <a href={toJobs({ status: "parked" })}>
            {parked.toLocaleString("en")}
            {parked >= parkedAtMost && "+"}
          </a>
        </dd>
      </div>
    </dl>
  )
}

export const SystemView = () => {
  const system = useLoaded("system", api.get)
  const agents = useLoaded("agents", api.agents)
  const kinds = useLoaded("kinds", kindsApi.list)
  useRefresh(() => {
    system.reload()
    agents.reload()
    kinds.reload()
  })
  useTitle("System · Charlotte")
  const error = system.error.value ?? agents.error.value ?? kinds.error.value
  const found = system.value.value
  return (
    <div class="system-view">
      <h1>System</h1>
      {error !== undefined && (
        <p class="problem" role="alert">
          {error.message}
        </p>
      )}
      {found !== undefined && <Gauges system={found} />}
      {kinds.value.value !== undefined && <Kinds kinds={kinds.value.value} onChange={kinds.reload} />}
      {agents.value.value !== undefined && agents.value.value.length > 0 && <Agents agents={agents.value.value} />}
      {found !== undefined && <Activity system={found} />}
      <EventRate />
      {found !== undefined && (
        <p class="faint">
          Counted since {format.dateTime(found.since)}, {format.age(now.value - found.since)} ago.
        </p>
      )}
    </div>
  )
}
