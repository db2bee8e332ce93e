/**
 * One job.
 */
import * as jobs from "../api/jobs.js"
import { useLoaded } from "../app/live.js"
import { titleOf } from "../ui/jobText.js"
import { shownStatus, Status } from "../ui/Status.js"

export const JobView = ({ id }: { readonly id: string; readonly query: URLSearchParams }) => {
  const job = useLoaded(id, (signal) => jobs.get(id, signal))
  if (job.error.value !== undefined) return <p class="bad">{job.error.value.message}</p>
  if (job.value.value === undefined) return null
  return (
    <h1>
      {titleOf(job.value.value)} <Status status={shownStatus(job.value.value)} />
    </h1>
  )
}
