import { useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { visible } from "../ui/visible.js"
import type { Message } from "./attention.js"

export interface Props {
  /** What each unit asks. */
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
  useEffect(() => dialog.current?.showModal(), [])
  const asked = questions.find((question) => question.unit === unit.value)
  return (
    <dialog ref={dialog} class="signal" aria-labelledby="answer-title" onClose={onClose}>
      <h2 id="answer-title">Answer the agent</h2>
      <form method="dialog" onSubmit={() => onAnswer(unit.value, text.value)}>
        {questions.length > 1 && (
          <label>
            Unit
            <select value={unit.value} onInput={({ currentTarget }) => (unit.value = currentTarget.value)}>
              {questions.map(({ unit }) => (
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
        <div class="dialog-buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button class="primary">Answer</button>
        </div>
      </form>
    </dialog>
  )
}
