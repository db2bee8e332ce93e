import { useSignal } from "@preact/signals"
import { useLayoutEffect, useRef } from "preact/hooks"
import { visible } from "../ui/visible.js"

export interface Props {
  /** The unit that is chosen at first. */
  readonly unit: string | undefined
  readonly units: ReadonlyArray<string>
  readonly onReject: (rejection: { readonly because: string; readonly unit: string | undefined }) => void
  readonly onClose: () => void
}

export const RejectDialog = ({ onClose, onReject, unit: first, units }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const unit = useSignal(first ?? (units.length === 1 ? units[0] : undefined) ?? "")
  const because = useSignal("")
  useLayoutEffect(() => dialog.current?.showModal(), [])
  const isWhole = unit.value === ""
  return (
    <dialog ref={dialog} class="signal" aria-labelledby="reject-title" onClose={onClose}>
      <h2 id="reject-title">Reject the result</h2>
      <form
        method="dialog"
        onSubmit={() => onReject({ because: because.value, unit: isWhole ? undefined : unit.value })}
      >
        <label>
          What is wrong with it
          <textarea
            rows={6}
            required
            value={because.value}
            onInput={({ currentTarget }) => (because.value = currentTarget.value)}
          />
        </label>
        <label>
          What happens next
          <select value={unit.value} onChange={({ currentTarget }) => (unit.value = currentTarget.value)}>
            {units.map((name) => (
              <option key={name} value={name}>
                unit {visible(name)} continues
              </option>
            ))}
            <option value="">the job fails</option>
          </select>
        </label>
        <p class="note faint">
          {isWhole
            ? "Nothing lands. The work stays on its branch."
            : "The text is the prompt of one more task of this unit. When that is done, the job asks again."}
        </p>
        <div class="dialog-buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button class="danger">Reject</button>
        </div>
      </form>
    </dialog>
  )
}
