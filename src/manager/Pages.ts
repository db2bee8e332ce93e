/**
 * Pages of the event log that were read a moment ago. Whoever follows the log at the same time as others stands where they
 * stand, and a page is read and decoded once for all of them. What is in the log never changes, so a page with events in it
 * stays true; only that nothing comes after it does not, and so that is always asked of the log.
 */
import { type Chunk, Effect } from "effect"
import type { JobEvent } from "../domain/JobEvent.js"

export interface Page {
  /** The same chunk for everybody: what is made of it need be made only once. */
  readonly events: Chunk.Chunk<JobEvent>
  /** Where the next page begins. */
  readonly cursor: number
  readonly next: "more" | "wait" | "end"
  /** Characters of its payloads. */
  readonly size: number
}

/** How many are kept, the latest ones, and how many characters of theirs. */
const limits = { pages: 8, size: 1024 * 1024 }

/** `name` says where in the log a page begins. */
export const make = (): (<E>(name: string, read: Effect.Effect<Page, E>) => Effect.Effect<Page, E>) => {
  // In the order in which they were read: the oldest goes first.
  const kept = new Map<string, Page>()
  let size = 0

  const keep = (name: string, page: Page): Page => {
    const known = kept.get(name)
    if (known !== undefined) return known
    if (page.events.length === 0 || page.size > limits.size) return page
    kept.set(name, page.next === "wait" ? { ...page, next: "more" } : page)
    size += page.size
    for (const [name, oldest] of kept) {
      if (kept.size <= limits.pages && size <= limits.size) break
      kept.delete(name)
      size -= oldest.size
    }
    return page
  }

  return (name, read) =>
    Effect.suspend(() => {
      const known = kept.get(name)
      return known === undefined ? Effect.map(read, (page) => keep(name, page)) : Effect.succeed(known)
    })
}
