import { useSignal } from "@preact/signals"
import { useLayoutEffect, useRef } from "preact/hooks"
import type { Job } from "../api/models.js"

export interface Props {
  readonly job: Job
  readonly onSend: (name: string, payload: unknown) => void
  readonly onClose: () => void
}

/** Names that the server accepts; Charlotte's reserved signals cannot be sent. */
const namePattern = "(?!charlotte\\.)[A-Za-z0-9._\\-]{1,64}"

const parse = (text: string): { readonly value: unknown } | undefined => {
  if (text.trim() === "") return { value: undefined }
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

export const SignalDialog = ({ job, onClose, onSend }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const awaited = job.parked?.signal?.startsWith("charlotte.") === false ? job.parked.signal : ""
  const name = useSignal(awaited)
  const text = useSignal("")
  const isWrong = useSignal(false)
  useLayoutEffect(() => dialog.current?.showModal(), [])
  const onSubmit = (event: SubmitEvent): void => {
    const payload = parse(text.value)
    isWrong.value = payload === undefined
    if (payload === undefined) event.preventDefault()
    else onSend(name.value, payload.value)
  }
  return (
    <dialog ref={dialog} class="signal" aria-labelledby="signal-title" onClose={onClose}>
      <h2 id="signal-title">Send a signal</h2>
      <form method="dialog" onSubmit={onSubmit}>
        <label>
          Name
          <input
            type="text"
            required
            pattern={namePattern}
            title="1 to 64 letters, digits, dots, hyphens and underscores"
            value={name.value}
            onInput={({ currentTarget }) => (name.value = currentTarget.value)}
          />
        </label>
        <label>
          Payload, as JSON (may be empty)
          <textarea
            rows={4}
            value={text.value}
            aria-invalid={isWrong.value}
            onInput={({ currentTarget }) => (text.value = currentTarget.value)}
          />
        </label>
        {isWrong.value && (
          <p class="bad" role="alert">
            The payload is not JSON: put a text into quotes, as in "yes", or leave the field empty.
          </p>
        )}
        <div class="dialog-buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button class="primary">Send</button>
        </div>
      </form>
    </dialog>
  )
}
