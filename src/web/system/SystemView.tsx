/**
 * Capacity, queue, kinds, schedules, agents, costs, throughput and latency.
 */
import { useEffect } from "preact/hooks"
import * as api from "../api/system.js"
import { hub, now, useLoaded } from "../app/live.js"
import { toJob, toJobs } from "../router.js"
import * as format from "../../progress/format.js"
import * as kindsApi from "../api/kinds.js"
import * as schedulesApi from "../api/schedules.js"
import { Agents } from "./Agents.js"
import { shortId } from "../ui/shortId.js"
import { useTitle } from "../ui/useTitle.js"
import * as Costs from "./Costs.js"
import { Kinds } from "./Kinds.js"
import { Schedules } from "./Schedules.js"
import { Activity, EventRate } from "./Activity.js"

/** How soon figures follow an event, and how old they may be without one. */
const soonMillis = 1_000
const laterMillis = 10_000

/** The costs are read from many jobs. */
const costsMillis = 10_000

const isOfSystem = (type: string): boolean => type.startsWith("job.") || type.startsWith("task.agent.")

const isEnd = (type: string): boolean => ["job.completed", "job.failed", "job.cancelled"].includes(type)

/** Reads again soon after such an event, and periodically without one. */
const useRefresh = (
  reload: () => void,
  isNews: (type: string) => boolean,
  { later, soon }: { readonly soon: number; readonly later: number }
): void => {
  useEffect(() => {
    let last = performance.now()
    let isDirty = false
    const stop = hub.subscribe((events) => {
      isDirty ||= events.some(({ type }) => isNews(type))
    })
    const timer = setInterval(() => {
      if (document.hidden || (!isDirty && performance.now() - last < later)) return
      isDirty = false
      last = performance.now()
      reload()
    }, soon)
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

const Overdue = ({ jobs }: { readonly jobs: ReadonlyArray<string> }) => (
  <p class="problem">
    Overdue: {format.count(jobs.length, "job")} did not end in time and{" "}
    {jobs.length === 1 ? "keeps its place" : "keep their places"}:
    {jobs.map((id) => (
      <>
        {" "}
        <a href={toJob(id)}>{shortId(id)}</a>
      </>
    ))}
  </p>
)

export const SystemView = () => {
  const system = useLoaded("system", api.get)
  const agents = useLoaded("agents", api.agents)
  const kinds = useLoaded("kinds", kindsApi.list)
  const schedules = useLoaded("schedules", schedulesApi.list)
  const costs = useLoaded("costs", Costs.read)
  useRefresh(
    () => {
      system.reload()
      agents.reload()
      kinds.reload()
      schedules.reload()
    },
    isOfSystem,
    { soon: soonMillis, later: laterMillis }
  )
  useRefresh(costs.reload, isEnd, { soon: costsMillis, later: Infinity })
  useTitle("System · Charlotte")
  const error = [system, agents, kinds, schedules, costs].map(({ error }) => error.value).find(Boolean)
  const found = system.value.value
  return (
    <div class="system-view">
      <h1>System</h1>
      {error !== undefined && (
        <p class="problem" role="alert">
          {error.message}
        </p>
      )}
      {found === undefined && error === undefined && <p class="faint">Reading the state of the system.</p>}
      {found !== undefined && <Gauges system={found} />}
      {found?.overdue !== undefined && <Overdue jobs={found.overdue} />}
      {kinds.value.value !== undefined && <Kinds kinds={kinds.value.value} onChange={kinds.reload} />}
      {schedules.value.value !== undefined && schedules.value.value.length > 0 && (
        <Schedules schedules={schedules.value.value} onChange={schedules.reload} />
      )}
      {agents.value.value !== undefined && agents.value.value.length > 0 && <Agents agents={agents.value.value} />}
      {costs.value.value !== undefined && costs.value.value.days.length > 0 && (
        <Costs.Costs costs={costs.value.value} />
      )}
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
