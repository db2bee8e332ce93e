/**
 * Asks whether to stop a job, several, or all jobs of a kind.
 */
import * as format from "../../progress/format.js"
import { jobName } from "../../progress/jobName.js"
import type { Job, ListedJob } from "../api/models.js"
import { Confirm } from "../ui/Confirm.js"
import { shortId } from "../ui/shortId.js"
import { visible } from "../ui/visible.js"

/** Some jobs, or all jobs of a kind, or all jobs. */
export type Stop = { readonly jobs: ReadonlyArray<ListedJob | Job> } | { readonly kind: string | undefined }

export interface Props {
  readonly what: Stop
  readonly onStop: () => void
  readonly onClose: () => void
}

/** Further jobs are only counted. */
const mostNamed = 8

export const StopQuestion = ({ onClose, onStop, what }: Props) => {
  const jobs = "jobs" in what ? what.jobs : []
  const title = "jobs" in what ? `Stop ${format.count(jobs.length, "job")}?` : `Stop all ${what.kind ?? ""} jobs?`
  return (
    <Confirm title={title} action="Stop" onConfirm={onStop} onClose={onClose}>
      {jobs.length > 0 && (
        <ul class="stop-list">
          {jobs.slice(0, mostNamed).map((job) => (
            <li key={job.id}>
              {visible(jobName(job))} <span class="faint mono">{shortId(job.id)}</span>
            </li>
          ))}
          {jobs.length > mostNamed && <li class="faint">and {jobs.length - mostNamed} more</li>}
        </ul>
      )}
      <p class="faint">
        Processes get a few seconds to exit, and are then killed. A stopped job cannot be resumed, only retried; tasks
        that are done stay done.
      </p>
    </Confirm>
  )
}
