/**
 * The selected unit: its tasks, the attempts at one task, and the log of one attempt.
 */
import { useLayoutEffect, useRef } from "preact/hooks"
import { isMounted } from "../address.js"
import { now } from "../app/live.js"
import { changeQuery, toDiff } from "../router.js"
import * as costs from "../../progress/cost.js"
import { stateText } from "../../progress/shownState.js"
import { isWarning } from "../../progress/taskNotes.js"
import { visible } from "../ui/visible.js"
import { LogView } from "./log/LogView.js"
import * as JobModel from "../../progress/JobModel.js"
import type { Span } from "../../progress/JobModel.js"
import { type LogName, logNameOf, type Selection } from "./selection.js"
import { StateMark } from "./State.js"
import { TaskButton } from "./TaskButton.js"
import type { Shown } from "./useJob.js"

const Tasks = ({ at, selection: { task: selected, unit } }: { readonly selection: Selection; readonly at: number }) => (
  <ul class="tasks" aria-label={`Tasks of ${visible(unit.id)}`}>
    {[...unit.tasks.values()].map((task) => (
      <li key={task.number}>
        <TaskButton
          task={task}
          at={at}
          isSelected={task === selected}
          onSelect={() => changeQuery({ unit: unit.id, task: task.number, attempt: undefined, log: undefined })}
        />
      </li>
    ))}
  </ul>
)

const names = { agent: "Agent", gate: "Gate", setup: "Setup", before: "Gate before" } as const

const nameOf = (span: Span): string => {
  const name = logNameOf(span)
  return name === undefined ? span.kind : names[name]
}

const Attempts = ({ selection }: { readonly selection: Selection }) => {
  const { attemptNumber, logs, span, task, unit } = selection
  const attempts = task?.attempts ?? []
  const chosen = useRef<HTMLButtonElement>(null)
  useLayoutEffect(() => {
    // A task that is tried again many times has more rows of buttons than are shown.
    const box = chosen.current?.parentElement
    if (box) box.scrollTop = (chosen.current?.offsetTop ?? 0) - box.offsetTop
  }, [attemptNumber, attempts.length])
  const choose = (changes: { readonly attempt?: number; readonly log?: LogName | undefined }): void =>
    changeQuery({ unit: unit.id, task: task?.number, attempt: attemptNumber, ...changes })
  return (
    <div class="attempts">
      {attempts.length > 1 && (
        <div class="segments" role="group" aria-label="Attempts">
          {attempts.map(({ number, reason, state }, index) => (
            <button
              key={index}
              ref={index + 1 === attemptNumber ? chosen : null}
              type="button"
              class={`state-${state}`}
              aria-pressed={index + 1 === attemptNumber}
              aria-label={`Attempt ${number}, ${state}`}
              title={reason === undefined ? state : `${state}: ${visible(reason)}`}
              onClick={() => choose({ attempt: index + 1 })}
            >
              <StateMark state={state} /> {number}
            </button>
          ))}
        </div>
      )}
      <div class="segments" role="group" aria-label="Logs">
        {logs.map((each) => (
          <button
            key={`${each.kind} ${each.from}`}
            type="button"
            class={`state-${each.state}`}
            aria-pressed={each === span}
            title={visible(each.label)}
            onClick={() => choose({ log: logNameOf(each) })}
          >
            {/* Before any work, a gate is expected to fail. */}
            {(each.before === undefined || each.to === undefined) && <StateMark state={each.state} />} {nameOf(each)}
          </button>
        ))}
      </div>
    </div>
  )
}

export const SelectionPanel = ({
  isResting,
  selection,
  shown
}: {
  readonly shown: Shown
  readonly selection: Selection
  readonly isResting: boolean
}) => {
  const { attempt, isAutomatic, span, task, unit } = selection
  const { id } = shown.job
  const failed = attempt?.state === "failed" ? attempt.reason : undefined
  const hasFailed = [attempt, span, unit].some((of) => of?.state === "failed")
  const reason = span?.kind === "setup" ? span.reason : (failed ?? span?.reason ?? attempt?.reason ?? unit.reason)
  const said = attempt?.to === undefined ? undefined : JobModel.said(attempt)
  const hasReason = reason !== undefined && reason !== ""
  const before = selection.attemptNumber > 1 ? task?.attempts[selection.attemptNumber - 2] : undefined
  const earlier =
    before?.state === "failed" && before.reason !== undefined ? { ...before, reason: before.reason } : undefined
  const cost = JobModel.costOf(unit)
  const hasWork = [...unit.tasks.values()].some(({ state }) => state === "completed")
  return (
    <section class="job-side" aria-label={`Unit ${visible(unit.id)}`}>
      <header class="side-head">
        <h2>
          <StateMark state={JobModel.stateOf(unit)} /> {visible(unit.id)}
          <span class="visually-hidden">, {stateText(JobModel.stateOf(unit))}</span>
        </h2>
        {isAutomatic && !isResting && (
          <span class="faint" title="Select a unit to stay with it">
            follows the work
          </span>
        )}
        <span class="grow" />
        {cost !== undefined && (
          <span class="faint number" title={costs.long(cost)}>
            {costs.short(cost)}
          </span>
        )}
        {hasWork && !isMounted && (
          <a class="button" href={toDiff(id, { unit: unit.id })}>
            Diff
          </a>
        )}
      </header>
      <Tasks selection={selection} at={now.value} />
      {task !== undefined && task.notes.length > 0 && (
        <div class="side-notes" role="region" aria-label="Notes" tabIndex={0}>
          {task.notes.map((note, at) => (
            <p key={at} class={isWarning(note) ? "note warn" : "note"}>
              {isWarning(note) ? "! " : ""}
              {visible(note.text)}
            </p>
          ))}
        </div>
      )}
      <Attempts selection={selection} />
      {span !== undefined && span.label !== "" && <p class="side-command mono">{visible(span.label)}</p>}
      {(hasReason || earlier !== undefined || said !== undefined) && (
        <div class="side-notes" role="region" aria-label="Outcome" tabIndex={0}>
          {hasReason && <p class={`note ${hasFailed ? "bad" : "warn"}`}>{visible(reason)}</p>}
          {said !== undefined && (
            <p class="note said">
              <span class="faint">The agent said </span>
              {visible(said)}
            </p>
          )}
          {earlier !== undefined && (
            <p class="note faint">
              {earlier.number === attempt?.number ? "The turn before it" : `Attempt ${earlier.number}`} failed
              {earlier.reason === reason ? " in the same way." : `: ${visible(earlier.reason)}`}
            </p>
          )}
        </div>
      )}
      {span?.log === undefined || isMounted ? (
        <p class="note faint">
          {unit.waiting !== undefined
            ? `Waits: ${visible(unit.waiting)}`
            : task?.state === "skipped"
              ? "Done before this job began: there is no log of it here."
              : isResting
                ? "No log."
                : "No log yet."}
        </p>
      ) : (
        <LogView
          key={span.log.file}
          job={id}
          unit={unit.id}
          task={task?.number}
          log={span.log}
          isLive={span.to === undefined && !isResting}
          title={`Log: ${nameOf(span)} of ${visible(unit.id)} ${task?.number ?? ""}`}
        />
      )}
    </section>
  )
}
