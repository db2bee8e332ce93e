/**
 * The result of one check.
 */
export interface Finding {
  /** What was checked, in a word. */
  readonly check: string
  /** Jobs run in spite of warnings, but not, or not fully, with problems. */
  readonly status: "ok" | "warning" | "problem"
  readonly message: string
  /** What to do about it; may be a command. */
  readonly remedy?: string
}

export const ok = (check: string, message: string): Finding => ({ check, status: "ok", message })

export const warning = (check: string, message: string, remedy: string): Finding => ({
  check,
  status: "warning",
  message,
  remedy
})

export const problem = (check: string, message: string, remedy: string): Finding => ({
  check,
  status: "problem",
  message,
  remedy
})

/** From a message that states the problem and, after a semicolon, what to do. */
export const fromMessage = (
  status: "warning" | "problem",
  check: string,
  text: string,
  otherwise = "see the message"
): Finding => {
  const at = text.indexOf("; ")
  return at === -1
    ? { check, status, message: text, remedy: otherwise }
    : { check, status, message: text.slice(0, at), remedy: text.slice(at + 2) }
}
