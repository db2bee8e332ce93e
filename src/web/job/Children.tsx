/**
 * The children of a job, the newest first; the older ones are read on demand.
 */
import { useSignal } from "@preact/signals"
import * as jobs from "../api/jobs.js"
import type { Child } from "../api/models.js"
import { add } from "../app/notices.js"
import { toJob } from "../router.js"
import { Status } from "../ui/Status.js"
import { visible } from "../ui/visible.js"

/** How many a page of the server has. A job with fewer has no older ones. */
const pageSize = 100

export const Children = ({ job, newest }: { readonly job: string; readonly newest: ReadonlyArray<Child> }) => {
  const older = useSignal<ReadonlyArray<Child>>([])
  const isOver = useSignal(newest.length < pageSize)
  const isReading = useSignal(false)
  // What was read before stays when newer children push it out of the record.
  const shown = new Map([...older.value, ...newest].map((child) => [child.jobId, child]))
  const children = [...shown.values()].toSorted((a, b) => (a.jobId < b.jobId ? 1 : -1))
  const last = children.at(-1)
  const readOlder = async (): Promise<void> => {
    if (last === undefined) return
    isReading.value = true
    try {
      const page = await jobs.children(job, last.jobId)
      older.value = [...children, ...page]
      isOver.value = page.length < pageSize
    } catch (error) {
      add("bad", error instanceof Error ? error.message : String(error))
    }
    isReading.value = false
  }
  return (
    <>
      <ul class="children">
        {children.map(({ jobId, kind, name, status }) => (
          <li key={jobId}>
            {status === undefined ? visible(name) : <a href={toJob(jobId)}>{visible(name)}</a>}{" "}
            <span class="faint">{visible(kind)}</span>{" "}
            {status === undefined ? <span class="faint">pruned</span> : <Status status={status} />}
          </li>
        ))}
      </ul>
      {!isOver.value && (
        <button type="button" disabled={isReading.value} onClick={() => void readOlder()}>
          Older children
        </button>
      )}
    </>
  )
}
