/**
 * The status of a run: a mark, a word and a colour, so that each can be read without the others.
 */
import type { RunStatus } from "../api/models.js"

export type Shown = RunStatus | "stopping"

const marks: { readonly [S in Shown]: string } = {
  pending: "○",
  running: "●",
  stopping: "◌",
  interrupted: "◐",
  parked: "‖",
  completed: "✓",
  failed: "✕",
  cancelled: "–"
}

export const shownStatus = ({
  phase,
  status
}: {
  readonly status: RunStatus
  readonly phase: "running" | "stopping" | undefined
}): Shown => (phase === "stopping" ? "stopping" : status)

export const Status = ({ status }: { readonly status: Shown }) => (
  <span class={`status status-${status}`}>
    <span class="status-mark" aria-hidden="true">
      {marks[status]}
    </span>
    {status}
  </span>
)
