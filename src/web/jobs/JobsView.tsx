/**
 * The jobs of all kinds, newest first.
 */
import * as jobs from "../api/jobs.js"
import { useLoaded } from "../app/live.js"
import { toJob } from "../router.js"
import { titleOf } from "../ui/jobText.js"
import { shownStatus, Status } from "../ui/Status.js"

export const JobsView = ({ query }: { readonly query: URLSearchParams }) => {
  const before = query.get("before") ?? undefined
  const page = useLoaded(`jobs ${before}`, (signal) => jobs.list({ before, limit: 50 }, signal))
  if (page.error.value !== undefined) return <p class="bad">{page.error.value.message}</p>
  return (
    <>
      <h1>Jobs</h1>
      <table>
        <tbody>
          {page.value.value?.jobs.map((job) => (
            <tr key={job.id}>
              <td>
                <Status status={shownStatus(job)} />
              </td>
              <td>
                <a href={toJob(job.id)}>{titleOf(job)}</a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}
