/**
 * The state of a unit, a task or an attempt: a mark, a word and a colour, so that each can be read without the others.
 */
import type { ShownTaskState, ShownUnitState } from "../../progress/shownState.js"
import type { SpanState } from "../../progress/JobModel.js"

export type Shown = ShownTaskState | ShownUnitState | SpanState

const marks: { readonly [S in Shown]: string } = {
  pending: "○",
  running: "●",
  "needs-answer": "?",
  waiting: "‖",
  interrupted: "◐",
  cut: "◐",
  completed: "✓",
  passed: "✓",
  merged: "✓",
  skipped: "✓",
  failed: "✕",
  blocked: "–"
}

export const StateMark = ({ state }: { readonly state: Shown }) => (
  <span class={`state-mark state-${state}`} aria-hidden="true">
    {marks[state]}
  </span>
)
