/**
 * One job: what is happening and what needs a person, its tasks, graph, timeline and events, and the log of the selection.
 */
import { useKeys } from "../app/keys.js"
import { now } from "../app/live.js"
import { changeQuery, toJobs } from "../router.js"
import { jobName } from "../../progress/jobName.js"
import { useTitle } from "../ui/useTitle.js"
import { visible } from "../ui/visible.js"
import { attention } from "./attention.js"
import { Graph } from "./dag/Graph.js"
import { Details } from "./Details.js"
import { EventList } from "./EventList.js"
import { JobHeader } from "./JobHeader.js"
import * as costs from "../../progress/cost.js"
import { countTasks, tasks } from "../../progress/JobModel.js"
import { StepList } from "./StepList.js"
import { stepsOf } from "./stepsOf.js"
import { SelectionPanel } from "./SelectionPanel.js"
import { parse, select } from "./selection.js"
import { Tabs } from "./Tabs.js"
import { TaskList } from "./TaskList.js"
import { Timeline } from "./timeline/Timeline.js"
import { type Shown, useJob } from "./useJob.js"

const panels = {
  tasks: "Tasks",
  graph: "Graph",
  timeline: "Timeline",
  steps: "Steps",
  events: "Events",
  details: "Details"
} as const

type Panel = keyof typeof panels

const isPanel = (name: string | null): name is Panel => name !== null && Object.hasOwn(panels, name)

/** The graph is of use only where units depend on each other. */
const panelsOf = ({ job, model: { steps, units } }: Shown) => {
  const hasDependencies = [...units.values()].some(({ dependsOn }) => dependsOn.length > 0)
  const isThere: { readonly [name: string]: boolean } = {
    tasks: units.size > 0,
    graph: hasDependencies,
    timeline: units.size > 0,
    steps: steps.size > 0 || job.steps !== undefined
  }
  return Object.entries(panels).filter(([name]) => isThere[name] !== false)
}

/** Focuses the search field of the part that has the focus, or else of the log. */
const search = (): void => {
  const part = document.activeElement?.closest(".job-main, .job-side")
  for (const root of [part, document.querySelector(".job-side"), document.querySelector(".job-main")]) {
    const field = root?.querySelector('input[type="search"]')
    if (field instanceof HTMLInputElement) return field.focus()
  }
}

const goTo = (unit: string, task?: number): void => changeQuery({ unit, task, attempt: undefined, log: undefined })

/** Whether the job is not running. */
const isResting = ({ job: { status } }: Shown): boolean => status !== "running"

interface BodyProps {
  readonly query: URLSearchParams
  readonly shown: Shown
  /** Whether the events are being read. */
  readonly isReading: boolean
}

const Body = ({ isReading, query, shown }: BodyProps) => {
  const { events, job, model, version } = shown
  const hasUnits = model.units.size > 0
  const available = panelsOf(shown)
  const asked = query.get("view")
  const wanted = isPanel(asked) && available.some(([name]) => name === asked) ? asked : undefined
  const panel: Panel = wanted ?? available.map(([name]) => name).find(isPanel) ?? "events"
  const selection = select(model, parse(query))
  const show = (name: string): void => changeQuery({ view: name === available[0]?.[0] ? undefined : name })

  useKeys("Job", [
    ...available.map(([name, title], at) => ({ keys: String(at + 1), label: title, run: () => show(name) })),
    { keys: "/", label: "Search the log or the events", run: search },
    {
      keys: "Escape",
      label: "Follow the work again",
      run: () => changeQuery({ unit: undefined, task: undefined, attempt: undefined, log: undefined })
    }
  ])

  const selected = selection && { unit: selection.unit.id, task: selection.task?.number }
  return (
    <div class={`job-body${hasUnits ? "" : " single"}`}>
      <section class="job-main" aria-label="Job">
        <Tabs tabs={available} selected={panel} onSelect={show} />
        <div class="panel" role="tabpanel" id="panel" aria-labelledby={`tab-${panel}`}>
          {panel === "tasks" && <TaskList model={model} selected={selected} onSelect={goTo} />}
          {panel === "graph" && (
            <Graph model={model} version={version} selected={selected?.unit} onSelect={(unit) => goTo(unit)} />
          )}
          {panel === "timeline" && <Timeline model={model} version={version} selected={selected} onSelect={goTo} />}
          {panel === "steps" && <StepList job={job} steps={stepsOf(job, model)} selected={query.get("step")} />}
          {panel === "events" && <EventList events={events} isReading={isReading} />}
          {panel === "details" && <Details job={job} model={model} />}
        </div>
      </section>
      {selection !== undefined && <SelectionPanel shown={shown} selection={selection} isResting={isResting(shown)} />}
    </div>
  )
}

const Loaded = ({
  error,
  query,
  shown
}: {
  readonly query: URLSearchParams
  readonly shown: Shown
  readonly error: Error | undefined
}) => {
  const { job, model } = shown
  const isReading = shown.isPartial && error === undefined
  useTitle(
    `${job.phase === "stopping" ? "stopping" : job.status}: ${visible(jobName({ ...job, unitNames: job.units.map(({ unit }) => unit) }))} · Charlotte`
  )
  return (
    <article class="job" aria-busy={isReading}>
      <JobHeader
        job={job}
        model={model}
        counts={countTasks(model)}
        cost={costs.sum(tasks(model).map(({ cost }) => cost)) ?? job.cost}
        messages={attention(job, model, now.value)}
        onShow={goTo}
        onChange={shown.reload}
      />
      {error !== undefined && <p class="bad">Its events cannot be read: {visible(error.message)}</p>}
      {/* The keys of the panels depend on which there are. */}
      <Body key={panelsOf(shown).join()} query={query} shown={shown} isReading={isReading} />
    </article>
  )
}

export const JobView = ({ id, query }: { readonly id: string; readonly query: URLSearchParams }) => {
  const { error, shown } = useJob(id)
  if (shown !== undefined) return <Loaded query={query} shown={shown} error={error} />
  if (error === undefined) return <p class="faint">Reading the job.</p>
  return (
    <section class="empty">
      <h1>This job cannot be shown</h1>
      <p class="bad">{visible(error.message)}</p>
      <p>
        <a href={toJobs()}>All jobs</a>
      </p>
    </section>
  )
}
