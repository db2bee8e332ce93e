/**
 * The results of the user's actions.
 */
import { signal } from "@preact/signals"

export interface Notice {
  readonly id: number
  readonly tone: "good" | "bad" | "plain"
  readonly text: string
}

export const notices = signal<ReadonlyArray<Notice>>([])

/** With more notices, the oldest disappear. */
const most = 5

/** Success messages disappear after this time. */
const shownMillis = 8_000

let last = 0

export const dismiss = (id: number): void => {
  notices.value = notices.value.filter((notice) => notice.id !== id)
}

export const add = (tone: Notice["tone"], text: string): number => {
  const id = ++last
  notices.value = [...notices.value, { id, tone, text }].slice(-most)
  if (tone === "good") setTimeout(() => dismiss(id), shownMillis)
  return id
}

/** Reports that an action is in progress, and then its result. */
export const during = async (text: string, action: () => Promise<string>): Promise<void> => {
  const id = add("plain", text)
  try {
    const done = await action()
    dismiss(id)
    add("good", done)
  } catch (error) {
    dismiss(id)
    add("bad", error instanceof Error ? error.message : String(error))
  }
}
