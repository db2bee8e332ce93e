/**
 * A button that copies a text. Browsers copy only for pages of a secure origin, such as 127.0.0.1 or https; on others there is no button.
 */
import { add } from "../app/notices.js"

const copy = (text: string): void =>
  void navigator.clipboard.writeText(text).then(
    () => add("good", "Copied"),
    () => add("bad", "The browser does not let this page copy: select the text, and copy it yourself")
  )

export interface Props {
  readonly text: string
  /** As in `Copy the command`. */
  readonly what: string
}

export const Copy = ({ text, what }: Props) =>
  isSecureContext ? (
    <button type="button" class="quiet copy" title={`Copy ${what}`} onClick={() => copy(text)}>
      <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
        <path d="M9 9h10v11h-10zM15 9v-4h-10v11h4" />
      </svg>
      <span class="visually-hidden">Copy {what}</span>
    </button>
  ) : null
