const maxBytes = 64 * 1024

/** Why a text is no answer to the question of an agent, as a clause; undefined if it is one. */
export const answerProblem = (text: string): string | undefined => {
  if (text.trim() === "") return "must not be empty"
  return new TextEncoder().encode(text).length > maxBytes ? "must be at most 64 KiB long" : undefined
}
