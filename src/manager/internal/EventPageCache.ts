/**
 * Recently read pages of the event log: subscribers that follow the log at the same time share them, so that each page is read
 * and decoded once. Recorded events do not change until runs are pruned, so a page with events stays valid until then. That it
 * is the last page does not, so the end of the log is always read.
 */
import { Chunk, Effect, Ref } from "effect"
import type { JobEvent } from "../../domain/JobEvent.js"

export interface Page {
  /** One chunk for all subscribers: what is derived from it can be cached by its identity. */
  readonly events: Chunk.Chunk<JobEvent>
  /** Where the next page begins. */
  readonly cursor: number
  readonly next: "more" | "wait" | "end"
  /** Characters of its payloads. */
  readonly size: number
}

/** Reads a page through the cache; `name` says where in the log it begins. */
export type EventPageCache = <E>(name: string, read: Effect.Effect<Page, E>) => Effect.Effect<Page, E>

/** The latest pages are kept, up to this many, and this many characters of payloads. */
const limits = { pages: 8, size: 1024 * 1024 }

interface Kept {
  readonly name: string
  /** How often runs had been pruned when it was read. */
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
