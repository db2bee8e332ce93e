import { useSignal } from "@preact/signals"
import { useLayoutEffect, useRef, useState } from "preact/hooks"
import { visible } from "../ui/visible.js"
import type { Message } from "./attention.js"

export interface Props {
  /** What each unit asks now. */
  readonly questions: ReadonlyArray<Pick<Message, "unit" | "reason">>
  /** The unit that is chosen at first. */
  readonly first: string | undefined
  readonly onAnswer: (unit: string, text: string) => void
  readonly onClose: () => void
}

export const AnswerDialog = ({ first, onAnswer, onClose, questions }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const unit = useSignal(first ?? questions[0]?.unit ?? "")
  const text = useSignal("")
  useLayoutEffect(() => dialog.current?.showModal(), [])
  /** As they were read: what is typed answers no question that comes later. */
  const [read] = useState(questions)
  const asked = read.find((question) => question.unit === unit.value)
  const isOpen = questions.some(({ reason, unit: of }) => of === asked?.unit && reason === asked?.reason)
  return (
    <dialog ref={dialog} class="signal" aria-labelledby="answer-title" onClose={onClose}>
      <h2 id="answer-title">Answer the agent</h2>
      <form method="dialog" onSubmit={() => onAnswer(unit.value, text.value)}>
        {read.length > 1 && (
          <label>
            Unit
            <select value={unit.value} onInput={({ currentTarget }) => (unit.value = currentTarget.value)}>
              {read.map(({ unit }) => (
                <option key={unit} value={unit}>
                  {visible(unit ?? "")}
                </option>
              ))}
            </select>
          </label>
        )}
        <p>{visible(asked?.reason ?? "")}</p>
        <label>
          Answer
          <textarea
            rows={4}
            required
            maxLength={16_000}
            value={text.value}
            onInput={({ currentTarget }) => (text.value = currentTarget.value)}
          />
        </label>
        {!isOpen && (
          <p class="bad" role="alert">
            This question is no longer open: it was answered, or its job has ended.
          </p>
        )}
        <div class="dialog-buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button class="primary" disabled={!isOpen}>
            Answer
          </button>
        </div>
      </form>
    </dialog>
  )
}
