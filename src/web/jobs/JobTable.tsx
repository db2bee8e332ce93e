/**
 * Jobs as a table; in a narrow window, as a list with two lines per job.
 */
import type { Signal } from "@preact/signals"
import type { ListedJob } from "../api/models.js"
import * as remedy from "../../progress/remedy.js"
import type { JobList } from "./JobList.js"
import { JobRow } from "./JobRow.js"

export interface Props {
  readonly title: string
  readonly jobs: ReadonlyArray<ListedJob>
  readonly list: JobList
  readonly selected: Signal<ReadonlySet<string>>
  readonly className?: string
  /** Whether each job has the command that helps. */
  readonly hasCommands?: boolean
}

const columns = ["Status", "Job", "Progress", "Elapsed", "Age", "Last line"]

export const JobTable = ({ className = "", hasCommands = false, jobs, list, selected, title }: Props) => {
  const isAllSelected = jobs.length > 0 && jobs.every(({ id }) => selected.value.has(id))

  const toggle = (id: string): void => {
    const next = new Set(selected.value)
    if (!next.delete(id)) next.add(id)
    selected.value = next
  }

  const toggleAll = (): void => {
    const next = new Set(selected.value)
    for (const { id } of jobs) {
      if (isAllSelected) next.delete(id)
      else next.add(id)
    }
    selected.value = next
  }

  return (
    <table role="table" class={`jobs ${className}`} aria-label={title}>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col" class="cell-select">
            <input type="checkbox" checked={isAllSelected} aria-label={`Select all: ${title}`} onClick={toggleAll} />
          </th>
          {columns.map((name) => (
            <th key={name} role="columnheader" scope="col" class={`cell-${name.split(" ").at(-1)?.toLowerCase()}`}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {jobs.map((job) => (
          <JobRow
            key={job.id}
            job={job}
            line={list.line(job.id)}
            command={hasCommands ? remedy.commandFor(job) : undefined}
            selected={selected}
            onToggle={toggle}
          />
        ))}
      </tbody>
    </table>
  )
}
