/**
 * A job in the list.
 */
import type { ReadonlySignal, Signal } from "@preact/signals"
import type { ListedJob } from "../api/models.js"
import { now } from "../app/live.js"
import { toJob } from "../router.js"
import { continuations } from "../../progress/continuations.js"
import * as costs from "../../progress/cost.js"
import * as format from "../../progress/format.js"
import { baseName, jobName, repositoryOf } from "../../progress/jobName.js"
import { Copy } from "../ui/Copy.js"
import { shortId } from "../ui/shortId.js"
import { RowProgress } from "../ui/Progress.js"
import { shownStatus, Status } from "../ui/Status.js"
import { visible } from "../ui/visible.js"
import { elapsed, times } from "./elapsed.js"
import { type Line, ofRecord, withoutCommand } from "./lastLine.js"

const Elapsed = ({ job }: { readonly job: ListedJob }) => <>{elapsed(job, now.value)}</>

const Age = ({ job: { createdAt } }: { readonly job: ListedJob }) => <>{format.age(now.value - createdAt)}</>

/** Lines of events only matter while the job runs and says nothing by itself; otherwise, the record decides. */
const LastLine = ({ command, job, line }: Pick<Props, "command" | "job" | "line">) => {
  const isNewest = job.status === "running" && job.progress?.text === undefined
  const shown = isNewest && line.value !== undefined ? line.value : ofRecord(job, now.peek())
  const text = visible(shown.text)
  return (
    <span class={`last-line ${shown.tone}`} title={text}>
      {withoutCommand(text, command)}
    </span>
  )
}

const Labels = ({ labels }: { readonly labels: ListedJob["labels"] }) => {
  const entries = Object.entries(labels).filter(([name]) => name !== "title" && name !== "name")
  if (entries.length === 0) return null
  return (
    <span class="row-labels">
      {entries.slice(0, 3).map(([name, value]) => (
        <span key={name} class="row-label" title={visible(`${name}=${value}`)}>
          {visible(value === "" ? name : `${name}=${value}`)}
        </span>
      ))}
      {entries.length > 3 && <span class="row-label">+{entries.length - 3}</span>}
    </span>
  )
}

export interface Props {
  readonly job: ListedJob
  readonly line: ReadonlySignal<Line | undefined>
  /** What helps, where the job needs a person. */
  readonly command: string | undefined
  readonly selected: Signal<ReadonlySet<string>>
  /** `isRange`: with all jobs from the last one that was toggled. */
  readonly onToggle: (id: string, isRange: boolean) => void
}

// The roles are explicit, because a narrow window lays the table out as a list.
export const JobRow = ({ command, job, line, onToggle, selected }: Props) => {
  const isSelected = selected.value.has(job.id)
  const repository = visible(baseName(repositoryOf(job) ?? ""))
  const title = visible(jobName(job))
  const again = continuations(job)
  return (
    <tr role="row" data-job={job.id} class={isSelected ? "selected" : ""} aria-selected={isSelected}>
      <td role="cell" class="cell-select">
        <input
          type="checkbox"
          checked={isSelected}
          tabIndex={-1}
          aria-label={`Select ${title} ${shortId(job.id)}`}
          onClick={({ shiftKey }) => onToggle(job.id, shiftKey)}
        />
      </td>
      <td role="cell" class="cell-status">
        <Status status={shownStatus(job)} />
      </td>
      <td role="cell" class="cell-title">
        <a href={toJob(job.id)} data-row title={repositoryOf(job)}>
          {title}
        </a>
        <span class="faint mono">{shortId(job.id)}</span>
        {repository !== "" && !title.startsWith(`${repository}:`) && <span class="faint">{repository}</span>}
        {job.kind !== "tasks" && job.kind !== title && <span class="row-kind">{job.kind}</span>}
        {job.cost !== undefined && <span class="faint number">{costs.short(job.cost)}</span>}
        {again !== undefined && <span class="faint">{again}</span>}
        <Labels labels={job.labels} />
      </td>
      <td role="cell" class="cell-progress">
        {job.progress !== undefined && <RowProgress progress={job.progress} />}
      </td>
      <td role="cell" class="cell-elapsed number" title={times(job)}>
        <Elapsed job={job} />
      </td>
      <td role="cell" class="cell-age number faint">
        <Age job={job} />
      </td>
      <td role="cell" class="cell-line">
        <LastLine job={job} line={line} command={command} />
        {command !== undefined && (
          <span class="row-remedy">
            <code class="row-command">{visible(command)}</code>
            <Copy text={command} what="the command" />
          </span>
        )}
      </td>
    </tr>
  )
}
