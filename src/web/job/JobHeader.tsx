/**
 * A job's title and progress, what needs a person, and the possible actions.
 */
import type { RefObject } from "preact"
import { useRef } from "preact/hooks"
import { isMounted } from "../address.js"
import type { Cost } from "../../domain/Cost.js"
import * as costs from "../../progress/cost.js"
import { continuations } from "../../progress/continuations.js"
import { type JobModel, timesOf } from "../../progress/JobModel.js"
import { type ShownTaskState, taskProgress } from "../../progress/shownState.js"
import type { Job } from "../api/models.js"
import * as jobs from "../api/jobs.js"
import { isLive, now, useLoaded } from "../app/live.js"
import { toDiff, toJob, toJobs } from "../router.js"
import { Copy } from "../ui/Copy.js"
import { shortId } from "../ui/shortId.js"
import * as format from "../../progress/format.js"
import { baseName, jobName, repositoryOf } from "../../progress/jobName.js"
import { Progress } from "../ui/Progress.js"
import { shownStatus, Status } from "../ui/Status.js"
import { visible } from "../ui/visible.js"
import type { Message } from "./attention.js"
import { saidLine } from "../../progress/reason.js"
import { canRetryUnit, type Handle, JobActions, labelOf } from "./JobActions.js"
import * as payload from "../../progress/payload.js"

export interface Props {
  readonly job: Job
  readonly model: JobModel
  readonly counts: Readonly<Record<ShownTaskState, number>>
  /** What its turns have cost. */
  readonly cost: Cost | undefined
  readonly messages: ReadonlyArray<Message>
  readonly onShow: (unit: string, task?: number) => void
  readonly onChange: () => void
}

/** The time from the first begin of the job to its end, and how much of it the job was at work, once that is known. */
const Times = ({ job, model }: Pick<Props, "job" | "model">) => {
  const { attempt, createdAt, endedAt, startedAt = createdAt, status } = job
  const end = endedAt ?? (status === "running" ? now.value : undefined)
  const times = timesOf(model, now.value)
  const from = times?.from ?? (attempt === 1 ? startedAt : undefined)
  if (end === undefined || from === undefined) return null
  const worked = format.clock(times?.worked ?? end - from)
  const total = format.clock(end - Math.min(from, end))
  return <span class="number">{worked === total ? total : `${total}, ${worked} at work`}</span>
}

interface MessagesProps extends Pick<Props, "job" | "messages" | "onShow"> {
  readonly actions: RefObject<Handle | null>
}

/** A button stays with its message while others come and go, so that a click never does what another one says. */
const keysOf = (messages: ReadonlyArray<Message>): ReadonlyArray<string> => {
  const seen = new Map<string, number>()
  return messages.map(({ action, task, unit }) => {
    const key = `${action} ${unit} ${task}`
    const alike = seen.get(key) ?? 0
    seen.set(key, alike + 1)
    return `${key} ${alike}`
  })
}

/** The first message with an action has the most important one. */
const Messages = ({ actions, job, messages, onShow }: MessagesProps) => {
  const first = messages.find(({ action }) => action !== undefined)
  const keys = keysOf(messages)
  return (
    <ul class="messages" aria-label="What happens now">
      {messages.map((message, at) => {
        const { action, link, reason, said, task, text, tone, unit } = message
        const label = labelOf(job, message)
        const look = message === first ? "primary" : ""
        return (
          <li key={keys[at]} class={`message tone-${tone}`}>
            <span class="message-text">
              <strong>{visible(text)}</strong>
              {reason !== undefined && reason !== "" && <span class="message-reason">{visible(reason)}</span>}
              {said !== undefined && (
                <span class="message-said">
                  <span class="faint">The agent said </span>
                  {visible(saidLine(said))}
                </span>
              )}
            </span>
            {link !== undefined && (
              <a class="button" href={link} target="_blank" rel="noreferrer">
                Open
              </a>
            )}
            <span class="message-actions">
              {action === "approve" && !isMounted && (
                <a class={`button ${look}`} href={toDiff(job.id)}>
                  Review
                </a>
              )}
              {label !== undefined && (
                <button
                  key={label}
                  type="button"
                  class={look}
                  disabled={!isLive()}
                  onClick={() => actions.current?.act(message)}
                >
                  {label}
                </button>
              )}
              {unit !== undefined && canRetryUnit(job, message) && (
                <button type="button" disabled={!isLive()} onClick={() => actions.current?.retryUnit(unit)}>
                  Retry this unit
                </button>
              )}
              {unit !== undefined && (
                <button type="button" onClick={() => onShow(unit, task)}>
                  Show<span class="visually-hidden"> {visible(unit)}</span>
                </button>
              )}
            </span>
          </li>
        )
      })}
    </ul>
  )
}

/** The job that this one retries, or whose work it lands, and the one that retries it. */
const Retries = ({ job }: { readonly job: Job }) => {
  const { landedAs, retriedAs } = job
  // Jobs of tasks may be retried several times; only the first retry is recorded as such.
  const former = job.retryOf ?? payload.string(job.config, "retryOf")
  const found = useLoaded(`retry ${retriedAs}`, async (signal) =>
    retriedAs === undefined ? undefined : await jobs.get(retriedAs, signal)
  )
  const landOf = payload.string(job.config, "landOf")
  return (
    <>
      {former !== undefined && (
        <span>
          retries <a href={toJob(former)}>{shortId(former)}</a>
        </span>
      )}
      {landOf !== undefined && (
        <span>
          lands <a href={toJob(landOf)}>{shortId(landOf)}</a>
        </span>
      )}
      {landedAs !== undefined && (
        <span>
          landed by <a href={toJob(landedAs)}>{shortId(landedAs)}</a>
        </span>
      )}
      {retriedAs !== undefined && (
        <span>
          retried by <a href={toJob(retriedAs)}>{shortId(retriedAs)}</a>
          {found.value.value && `, ${found.value.value.status}`}
        </span>
      )}
    </>
  )
}

export const JobHeader = ({ cost, counts, job, messages, model, onChange, onShow }: Props) => {
  const repository = repositoryOf(job)
  const branch = payload.string(job.config, "targetBranch")
  const again = continuations(job)
  const ofTasks = taskProgress(counts)
  const progress = ofTasks.total > 0 ? { ...ofTasks, text: undefined } : job.progress
  const actions = useRef<Handle>(null)
  const title = jobName({ ...job, unitNames: job.units.map(({ unit }) => unit) })
  return (
    <header class="job-head">
      <div class="job-title">
        <nav aria-label="Path">
          <a href={toJobs()}>Jobs</a>
          <span aria-hidden="true"> /</span>
        </nav>
        <h1>{visible(title)}</h1>
        <Status status={shownStatus(job)} />
        <span class="grow" />
        <JobActions job={job} messages={messages} onChange={onChange} handle={actions} />
      </div>
      <p class="job-facts faint">
        {repository !== undefined && (
          <span title={visible(repository)}>
            {visible(baseName(repository))}
            {branch !== undefined && ` → ${visible(branch)}`}
          </span>
        )}
        <Times job={job} model={model} />
        {cost !== undefined && (
          <span class="number" title={`An estimate, at the prices of the API: ${costs.long(cost)}`}>
            {costs.short(cost)}
            {job.retriesCost !== undefined && ` (${costs.short(job.retriesCost)} with its retries)`}
          </span>
        )}
        {again !== undefined && <span>{again}</span>}
        <Retries job={job} />
        <span>created {format.dateTime(job.createdAt)}</span>
        <span class="job-id">
          <code>{job.id}</code>
          <Copy text={job.id} what="the id of the job" />
        </span>
        {Object.entries(job.labels).map(([name, value]) =>
          // The heading says it.
          name === "title" && value === title ? null : (
            <span key={name} class="label">
              {visible(name)}={visible(value)}
            </span>
          )
        )}
      </p>
      <Messages job={job} messages={messages} onShow={onShow} actions={actions} />
      {progress !== undefined && <Progress progress={progress} />}
    </header>
  )
}
