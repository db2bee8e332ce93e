/**
 * The actions for the selected jobs.
 */
import type { Signal } from "@preact/signals"
import { isMounted, mayAct } from "../address.js"
import type { ListedJob } from "../api/models.js"
import { isLive } from "../app/live.js"
import { Confirm } from "../ui/Confirm.js"
import * as format from "../../progress/format.js"
import { jobName } from "../../progress/jobName.js"
import { shortId } from "../ui/shortId.js"
import { visible } from "../ui/visible.js"
import * as actions from "./actions.js"
import { canResume, canRetry, canStop } from "./bulk.js"
import { isFiltered, retryAllOf, type Shown } from "./filter.js"
import { mark } from "./seen.js"

const Question = ({ what }: { readonly what: actions.Stop }) => {
  const close = () => (actions.asked.value = undefined)
  const title = "jobs" in what ? `Stop ${format.count(what.jobs.length, "job")}?` : `Stop all ${what.kind ?? ""} jobs?`
  return (
    <Confirm title={title} action="Stop" onConfirm={() => actions.stop(what)} onClose={close}>
      {"jobs" in what && (
        <ul class="stop-list">
          {what.jobs.slice(0, 8).map((job) => (
            <li key={job.id}>
              {visible(jobName(job))} <span class="faint mono">{shortId(job.id)}</span>
            </li>
          ))}
          {what.jobs.length > 8 && <li class="faint">and {what.jobs.length - 8} more</li>}
        </ul>
      )}
      <p class="faint">
        Their processes are asked to exit, and are killed if they have not by the end of the grace period. Stopped jobs
        cannot be resumed.
      </p>
    </Confirm>
  )
}

export interface Props {
  readonly jobs: ReadonlyArray<ListedJob>
  readonly selected: Signal<ReadonlySet<string>>
  readonly filter: Shown
}

export const BulkBar = ({ filter, jobs, selected }: Props) => {
  const chosen = jobs.filter(({ id }) => selected.value.has(id))
  const actable = mayAct ? chosen : []
  const stoppable = actable.filter(canStop)
  const resumable = actable.filter(canResume)
  const retriable = actable.filter(canRetry)
  const all = retryAllOf(filter, mayAct ? jobs.map(({ kind }) => kind) : [])
  const failed = chosen.filter(({ status }) => status === "failed")
  // In an application, others may have started jobs that are not shown here.
  const isAnyRunning = !isMounted && jobs.some(canStop)
  const onlyKind = !isFiltered({ ...filter, kind: "" })
  const what = actions.asked.value
  const retries = actions.askedToRetry.value
  const isOff = !isLive()
  return (
    <>
      {(chosen.length > 0 || all !== undefined) && (
        <div class="bulk" role="toolbar" aria-label="Selected jobs">
          {chosen.length > 0 && <strong>{chosen.length} selected</strong>}
          {stoppable.length > 0 && (
            <button type="button" class="danger" disabled={isOff} onClick={() => actions.askToStop(stoppable)}>
              Stop {stoppable.length}
            </button>
          )}
          {resumable.length > 0 && (
            <button type="button" disabled={isOff} onClick={() => actions.resume(resumable)}>
              Resume {resumable.length}
            </button>
          )}
          {retriable.length > 0 && (
            <button type="button" disabled={isOff} onClick={() => actions.retry(retriable)}>
              Retry {retriable.length}
            </button>
          )}
          {failed.length > 0 && (
            <button type="button" onClick={() => mark(failed.map(({ id }) => id))}>
              Mark {failed.length} as seen
            </button>
          )}
          <span class="grow" />
          {all !== undefined && (
            <button type="button" disabled={isOff} onClick={() => (actions.askedToRetry.value = all)}>
              Retry all that match …
            </button>
          )}
          {isAnyRunning && onlyKind && (
            <button
              type="button"
              class="danger"
              disabled={isOff}
              onClick={() => actions.askToStopAll(filter.kind || undefined)}
            >
              Stop all{filter.kind === "" ? "" : ` ${filter.kind}`} …
            </button>
          )}
          {chosen.length > 0 && (
            <button type="button" class="quiet" onClick={() => (selected.value = new Set())}>
              Select none
            </button>
          )}
        </div>
      )}
      {what !== undefined && <Question what={what} />}
      {retries !== undefined && (
        <Confirm
          title={`Retry all ${retries.kinds.map(visible).join(", ")} jobs that match?`}
          action="Retry"
          onConfirm={() => actions.retryAll(retries)}
          onClose={() => (actions.askedToRetry.value = undefined)}
        >
          <p class="faint">
            Each {filter.status} job that matches and was not retried yet is queued once more, those of other pages,
            too.
          </p>
        </Confirm>
      )}
    </>
  )
}
