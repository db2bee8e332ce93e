import { useSignal } from "@preact/signals"
import { useLayoutEffect, useRef } from "preact/hooks"
import type { Job } from "../api/models.js"

export interface Props {
  readonly job: Job
  /** The start is a time in milliseconds; neither changes unless it is given. */
  readonly onReschedule: (to: { readonly priority?: number; readonly startAt?: number | "now" }) => void
  readonly onClose: () => void
}

/** The value of an input of type `datetime-local`, which is in the time zone of the browser. */
const local = (at: number): string =>
  new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)

export const RescheduleDialog = ({ job, onClose, onReschedule }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const was = job.startAt === undefined ? "" : local(job.startAt)
  const priority = useSignal(String(job.priority))
  const start = useSignal(was)
  useLayoutEffect(() => dialog.current?.showModal(), [])
  const onSubmit = (): void => {
    const isMoved = start.value !== was
    onReschedule({
      ...(Number(priority.value) === job.priority ? {} : { priority: Number(priority.value) }),
      ...(isMoved ? { startAt: start.value === "" ? "now" : new Date(start.value).getTime() } : {})
    })
  }
  return (
    <dialog ref={dialog} class="signal" aria-labelledby="reschedule-title" onClose={onClose}>
      <h2 id="reschedule-title">Reschedule the job</h2>
      <form method="dialog" onSubmit={onSubmit}>
        <label>
          Priority: higher numbers start first
          <input
            type="number"
            required
            min={-1_000_000}
            max={1_000_000}
            value={priority.value}
            onInput={({ currentTarget }) => (priority.value = currentTarget.value)}
          />
        </label>
        {job.status === "pending" && (
          <label>
            Start no earlier than (empty: as soon as a permit is free)
            <input
              type="datetime-local"
              value={start.value}
              onInput={({ currentTarget }) => (start.value = currentTarget.value)}
            />
          </label>
        )}
        <div class="dialog-buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button class="primary">Reschedule</button>
        </div>
      </form>
    </dialog>
  )
}
