import { useEffect, useRef } from "preact/hooks"
import type { Job } from "../api/models.js"
import { jobName } from "../../progress/jobName.js"
import { visible } from "../ui/visible.js"

export interface Props {
  readonly job: Job
  readonly onStop: () => void
  readonly onClose: () => void
}

export const StopDialog = ({ job, onClose, onStop }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} aria-labelledby="stop-title" onClose={onClose}>
      <h2 id="stop-title">Stop {visible(jobName(job))}?</h2>
      <p class="note">
        Its agents get a few seconds to exit, and are then killed. Completed tasks are kept: a retry does not repeat
        them.
      </p>
      <form method="dialog">
        <button>Leave it running</button>
        <button class="danger" onClick={onStop}>
          Stop the job
        </button>
      </form>
    </dialog>
  )
}
