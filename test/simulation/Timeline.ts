/**
 * Virtual time. It stands still while there is something to do, and leaps to whatever is next when there is not.
 */
export interface Timeline {
  readonly now: () => number
  /** Runs `action` so many milliseconds from now; what it gives takes it back. */
  readonly after: (millis: number, action: () => void) => () => void
  /** Goes to the next moment at which something happens, and lets it happen; tells whether there was one. */
  readonly leap: () => boolean
  /** Lets time pass, and nothing else: as when the process is frozen. */
  readonly freeze: (millis: number) => void
  readonly isEmpty: () => boolean
}

interface Entry {
  readonly at: number
  readonly action: () => void
}

export const make = (start: number): Timeline => {
  let now = start
  // Sorted by time; of those at the same time, whoever came first.
  const entries: Array<Entry> = []
  return {
    now: () => now,
    after: (millis, action) => {
      // The clock of a process shows whole milliseconds, and so do the records.
      const entry = { at: now + Math.max(0, Math.ceil(millis)), action }
      const position = entries.findLastIndex(({ at }) => at <= entry.at)
      entries.splice(position + 1, 0, entry)
      return () => {
        const index = entries.indexOf(entry)
        if (index >= 0) entries.splice(index, 1)
      }
    },
    leap: () => {
      const next = entries.shift()
      if (next === undefined) return false
      now = Math.max(now, next.at)
      next.action()
      return true
    },
    freeze: (millis) => {
      now += millis
    },
    isEmpty: () => entries.length === 0
  }
}
