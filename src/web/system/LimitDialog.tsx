import { useSignal } from "@preact/signals"
import { useLayoutEffect, useRef } from "preact/hooks"
import type { ServedKind } from "../api/kinds.js"
import { visible } from "../ui/visible.js"

export interface Props {
  readonly kind: ServedKind
  readonly onLimit: (kind: string, maxJobs: number | "default") => void
  readonly onClose: () => void
}

export const LimitDialog = ({ kind: { kind, maxJobs }, onClose, onLimit }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const wanted = useSignal(maxJobs)
  useLayoutEffect(() => dialog.current?.showModal(), [])
  const setDefault = (): void => {
    onLimit(kind, "default")
    dialog.current?.close()
  }
  return (
    <dialog ref={dialog} class="signal" aria-labelledby="limit-title" onClose={onClose}>
      <h2 id="limit-title">Limit {visible(kind)}</h2>
      <form method="dialog" onSubmit={() => onLimit(kind, wanted.value)}>
        <label>
          How many jobs run at once
          <input
            type="number"
            required
            min={1}
            max={1_000_000}
            step={1}
            value={wanted.value}
            onInput={({ currentTarget }) => (wanted.value = currentTarget.valueAsNumber)}
          />
        </label>
        <p class="note faint">
          It applies at once, on one machine until the server restarts, in a cluster to all nodes together. A lower
          limit stops no job.
        </p>
        <div class="dialog-buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="button" onClick={setDefault}>
            Use the default
          </button>
          <button class="primary">Limit</button>
        </div>
      </form>
    </dialog>
  )
}
