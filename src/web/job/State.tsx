/**
 * The state of a unit, a task or an attempt: a mark, a word and a colour, so that none of them is needed alone.
 */
import type { TaskState, UnitState } from "../../domain/Work.js"
import type { SpanState } from "./model/JobModel.js"

export type Shown = TaskState | UnitState | SpanState | "waiting" | "stopped"

const marks: { readonly [S in Shown]: string } = {
  pending: "○",
  running: "●",
  waiting: "‖",
  stopped: "◐",
  cut: "◐",
  completed: "✓",
  passed: "✓",
  merged: "✓",
  skipped: "✓",
  failed: "✕",
  blocked: "–"
}

/** If the job is not running, what its record still calls running has been stopped. */
export const shownState = (state: Shown, isResting: boolean): Shown =>
  isResting && state === "running" ? "stopped" : state

export const StateMark = ({ state }: { readonly state: Shown }) => (
  <span class={`state-mark state-${state}`} aria-hidden="true">
    {marks[state]}
  </span>
)
