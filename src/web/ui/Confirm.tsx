/**
 * Asks for confirmation of an action that cannot be undone.
 */
import type { ComponentChildren } from "preact"
import { useLayoutEffect, useRef } from "preact/hooks"

export interface Props {
  readonly title: string
  readonly action: string
  readonly children: ComponentChildren
  readonly onConfirm: () => void
  readonly onClose: () => void
}

export const Confirm = ({ action, children, onClose, onConfirm, title }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => dialog.current?.showModal(), [])
  const confirm = (): void => {
    onConfirm()
    dialog.current?.close()
  }
  return (
    <dialog ref={dialog} aria-labelledby="confirm-title" onClose={onClose}>
      <h2 id="confirm-title">{title}</h2>
      {children}
      <form method="dialog">
        <button>Cancel</button>
        <button type="button" class="danger" onClick={confirm}>
          {action}
        </button>
      </form>
    </dialog>
  )
}
