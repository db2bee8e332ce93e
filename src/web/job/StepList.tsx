/**
 * The steps of a job, one per line, the newest last, and the value of the selected one, which is read on demand.
 */
import { useSignal } from "@preact/signals"
import * as jobs from "../api/jobs.js"
import type { Job } from "../api/models.js"
import { useLoaded } from "../app/live.js"
import * as format from "../../progress/format.js"
import { changeQuery, toJob } from "../router.js"
import { JsonView } from "../ui/JsonView.js"
import { shortId } from "../ui/shortId.js"
import { visible } from "../ui/visible.js"
import { VirtualRows } from "../ui/VirtualRows.js"
import { StateMark } from "./State.js"
import type { ListedStep, Steps } from "./stepsOf.js"

const Value = ({ job, step }: { readonly job: string; readonly step: ListedStep }) => {
  const { at, attempt, name, of, ok } = step
  const found = useLoaded(`${job} ${name} ${at}`, (signal) => jobs.step(job, name, signal))
  const value = found.value.value
  return (
    <section class="event-details" aria-label={`Step ${visible(name)}`} tabIndex={0}>
      <p>
        <strong>{visible(name)}</strong>{" "}
        <span class="faint number">
          attempt {attempt} · {format.dateTime(at)}
        </span>
        {of !== undefined && (
          <span class="faint">
            {" "}
            · of job <a href={toJob(of)}>{shortId(of)}</a>
          </span>
        )}
      </p>
      {found.error.value !== undefined && <p class="bad">{visible(found.error.value.message)}</p>}
      {value !== undefined && (
        <p>
          <span class={ok ? "faint" : "bad"}>{ok ? "Value " : "Failure "}</span>
          {value.value === undefined ? <span class="faint">none</span> : <JsonView value={value.value} />}
        </p>
      )}
    </section>
  )
}

export interface Props {
  readonly job: Job
  readonly steps: Steps
  /** A name. */
  readonly selected: string | null
}

export const StepList = ({ job, selected, steps: { earlier, steps } }: Props) => {
  const follows = useSignal(true)
  const chosen = steps.findLast(({ name }) => name === selected)
  return (
    <div class="events">
      <p class="note faint">
        {format.count(steps.length, "step")}
        {earlier > 0 && `, and ${earlier.toLocaleString("en")} earlier`}
      </p>
      <VirtualRows
        label="Steps"
        class="task-rows"
        count={steps.length}
        follows={follows.value}
        onEnd={(isAtEnd) => (follows.value = isAtEnd)}
        render={(row) => {
          const step = steps[row]
          if (step === undefined) return null
          const { at, attempt, millis, name, of, ok } = step
          return (
            <button
              key={`${of} ${name}`}
              type="button"
              class="task"
              aria-pressed={step === chosen}
              onClick={() => changeQuery({ step: step === chosen ? undefined : name })}
            >
              <StateMark state={ok ? "completed" : "failed"} />
              <span class={`task-title${ok ? "" : " bad"}`}>
                {visible(name)}
                {!ok && " failed"}
              </span>
              <span class="faint number" title={format.dateTime(at)}>
                {ok && <span class="visually-hidden">ok </span>}
                {attempt > 1 && `attempt ${attempt} · `}
                {format.span(millis)}
              </span>
            </button>
          )
        }}
      />
      {chosen !== undefined && <Value key={`${chosen.name} ${chosen.at}`} job={job.id} step={chosen} />}
    </div>
  )
}
