/**
 * Jobs as a table; in a narrow window, as a list with two lines per job.
 */
import type { Signal } from "@preact/signals"
import { useRef } from "preact/hooks"
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

/** The jobs from one to another, both included, in the order of the list; only the last one if the first is not listed any more. */
const between = (jobs: ReadonlyArray<ListedJob>, first: string | undefined, last: string): ReadonlyArray<ListedJob> => {
  const to = jobs.findIndex(({ id }) => id === last)
  const from = jobs.findIndex(({ id }) => id === first)
  return from === -1 ? jobs.slice(to, to + 1) : jobs.slice(Math.min(from, to), Math.max(from, to) + 1)
}

const columns = ["Status", "Job", "Progress", "Elapsed", "Age", "Last line"]

export const JobTable = ({ className = "", hasCommands = false, jobs, list, selected, title }: Props) => {
  const isAllSelected = jobs.length > 0 && jobs.every(({ id }) => selected.value.has(id))
  const isAnySelected = jobs.some(({ id }) => selected.value.has(id))
  /** The job that was toggled last: a click with Shift continues from it. */
  const last = useRef<string>(undefined)

  const select = (some: ReadonlyArray<ListedJob>, isSelected: boolean): void => {
    const next = new Set(selected.value)
    for (const { id } of some) {
      if (isSelected) next.add(id)
      else next.delete(id)
    }
    selected.value = next
  }

  const toggle = (id: string, isRange: boolean): void => {
    select(isRange ? between(jobs, last.current, id) : jobs.filter((job) => job.id === id), !selected.value.has(id))
    last.current = id
  }

  return (
    <table role="table" class={`jobs ${className}`} aria-label={title}>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col" class="cell-select">
            <input
              type="checkbox"
              checked={isAllSelected}
              indeterminate={isAnySelected && !isAllSelected}
              aria-label={`Select all: ${title}`}
              onClick={() => select(jobs, !isAllSelected)}
            />
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
