/**
 * The actions for the selected jobs.
 */
import { isMounted, mayAct } from "../address.js"
import type { ListedJob } from "../api/models.js"
import { isLive } from "../app/live.js"
import { Confirm } from "../ui/Confirm.js"
import { visible } from "../ui/visible.js"
import * as actions from "./actions.js"
import { canRetry } from "../../progress/remedy.js"
import { canResume, canStop } from "./bulk.js"
import { isFiltered, retryAllOf, type Shown } from "./filter.js"
import { seen } from "./seen.js"
import type { Selection } from "./useSelection.js"
import { StopQuestion } from "./StopQuestion.js"

export interface Props {
  readonly jobs: ReadonlyArray<ListedJob>
  /** Whether the list still shows the jobs of the previous filter. */
  readonly isOld: boolean
  readonly selection: Selection
  readonly filter: Shown
  /** Whether some jobs are selected, and more match. */
  readonly isMore: boolean
  /** How many match, if that is known. */
  readonly total: number | undefined
}

export const BulkBar = ({ filter, isMore, isOld, jobs, selection, total }: Props) => {
  const chosen = selection.jobs
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
  const isOff = isOld || !isLive()
  const act = (action: () => void): void => {
    action()
    selection.release()
  }
  return (
    <>
      {(chosen.length > 0 || all !== undefined) && (
        <div class="bulk" role="toolbar" aria-label="Selected jobs">
          {chosen.length > 0 && <strong>{chosen.length.toLocaleString("en")} selected</strong>}
          {isMore && (
            <button type="button" onClick={selection.selectAll}>
              Select {total === undefined ? "all that match" : `all ${total}`}
            </button>
          )}
          {stoppable.length > 0 && (
            <button type="button" class="danger" disabled={isOff} onClick={() => actions.askToStop(stoppable)}>
              Stop {stoppable.length}
            </button>
          )}
          {resumable.length > 0 && (
            <button type="button" disabled={isOff} onClick={() => act(() => actions.resume(resumable))}>
              Resume {resumable.length}
            </button>
          )}
          {retriable.length > 0 && (
            <button type="button" disabled={isOff} onClick={() => act(() => actions.retry(retriable))}>
              Retry {retriable.length}
            </button>
          )}
          {failed.length > 0 && (
            <button type="button" onClick={() => seen.add(failed.map(({ id }) => id))}>
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
            <button type="button" class="quiet" onClick={selection.clear}>
              Select none
            </button>
          )}
        </div>
      )}
      {what !== undefined && (
        <StopQuestion
          what={what}
          onStop={() => act(() => actions.stop(what))}
          onClose={() => (actions.asked.value = undefined)}
        />
      )}
      {retries !== undefined && (
        <Confirm
          title={`Retry all ${retries.kinds.map(visible).join(", ")} jobs that match?`}
          action="Retry"
          onConfirm={() => actions.retryAll(retries)}
          onClose={() => (actions.askedToRetry.value = undefined)}
        >
          <p class="faint">
            Each {filter.status} job that matches and was not retried yet is queued once more, also those on other
            pages.
          </p>
        </Confirm>
      )}
    </>
  )
}
