/** The problem of the text of a rejection, which is the prompt of an agent, and part of a signal. */
export const becauseProblem = (text: string): string | undefined => {
  if (text.trim() === "") return "must not be empty"
  if (text.includes("\0")) return "must not contain a NUL character"
  return new TextEncoder().encode(text).length > 32 * 1024 ? "must be at most 32 KiB long" : undefined
}
