/**
 * What one look at something has shown.
 */
export interface Finding {
  /** What was looked at, in a word. */
  readonly check: string
  /** Jobs can be run with a warning, and not, or not in full, with a problem. */
  readonly status: "ok" | "warning" | "problem"
  readonly message: string
  /** A command, or words, for what to do about it. */
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

/** Of a message of ours that says what is wrong, and after a semicolon what to do. */
export const told = (
  status: "warning" | "problem",
  check: string,
  text: string,
  otherwise = "look at what it says"
): Finding => {
  const at = text.indexOf("; ")
  return at === -1
    ? { check, status, message: text, remedy: otherwise }
    : { check, status, message: text.slice(0, at), remedy: text.slice(at + 2) }
}
