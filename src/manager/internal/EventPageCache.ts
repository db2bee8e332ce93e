/**
 * Pages of the event log that were read a moment ago: those who follow the log at the same time read the same pages, and each
 * is read and decoded once for all of them. What is in the log never changes until runs are pruned, so a page with events in it
 * stays true until then. That nothing comes after it does not, so that is always read from the log.
 */
import { Chunk, Effect, Ref } from "effect"
import type { JobEvent } from "../../domain/JobEvent.js"

export interface Page {
  /** The same chunk for all: what is made of it need be made only once. */
  readonly events: Chunk.Chunk<JobEvent>
  /** Where the next page begins. */
  readonly cursor: number
  readonly next: "more" | "wait" | "end"
  /** Characters of its payloads. */
  readonly size: number
}

/** Reads a page through the cache; `name` says where in the log it begins. */
export type EventPageCache = <E>(name: string, read: Effect.Effect<Page, E>) => Effect.Effect<Page, E>

/** How many pages are kept, the latest ones, and how many characters of theirs. */
const limits = { pages: 8, size: 1024 * 1024 }

interface Kept {
  readonly name: string
  /** How often runs had been pruned before it was read. */
  readonly readAt: number
  readonly page: Page
}

/** `prunings` counts how often runs were pruned. */
export const make = (prunings: Effect.Effect<number>): Effect.Effect<EventPageCache> =>
  Effect.map(
    // In the order in which they were read: the oldest goes first.
    Ref.make<ReadonlyArray<Kept>>([]),
    (kept) => (name, read) =>
      Effect.gen(function* () {
        const readAt = yield* prunings
        const current = (pages: ReadonlyArray<Kept>) => pages.filter((page) => page.readAt >= readAt)
        const known = current(yield* Ref.get(kept)).find((other) => other.name === name)
        if (known !== undefined) return known.page
        const page = yield* read
        if (Chunk.isEmpty(page.events) || page.size > limits.size) return page
        const stable: Page = page.next === "wait" ? { ...page, next: "more" } : page
        return yield* Ref.modify(kept, (all) => {
          const pages = current(all)
          const other = pages.find((other) => other.name === name)
          return other === undefined ? [page, trim([...pages, { name, readAt, page: stable }])] : [other.page, pages]
        })
      })
  )

const trim = (pages: ReadonlyArray<Kept>): ReadonlyArray<Kept> =>
  pages.length > limits.pages || pages.reduce((sum, { page }) => sum + page.size, 0) > limits.size
    ? trim(pages.slice(1))
    : pages
