/**
 * Recently read pages of the event log, shared by subscribers that follow it at the same time, so that each page is read and
 * decoded once. Recorded events do not change until runs are pruned, so a page with events stays valid until then. Whether it is
 * the last page can change, so the end of the log is always read.
 */
import { Chunk, Effect, Ref } from "effect"
import type { JobEvent } from "../../domain/JobEvent.js"

export interface Page {
  /** The events, in one chunk for all subscribers, so that values derived from it can be cached by its identity. */
  readonly events: Chunk.Chunk<JobEvent>
  /** The cursor where the next page begins. */
  readonly cursor: number
  readonly next: "more" | "wait" | "end"
  /** Total characters of the payloads. */
  readonly size: number
}

/** Reads a page through the cache; `name` says where in the log it begins. */
export type EventPageCache = <E>(name: string, read: Effect.Effect<Page, E>) => Effect.Effect<Page, E>

/** The cache keeps the latest pages, up to this many pages and this many characters of payloads. */
const limits = { pages: 8, size: 1024 * 1024 }

interface Kept {
  readonly name: string
  /** The number of prunings when the page was read. */
  readonly readAt: number
  readonly page: Page
}

/** `prunings` counts how often runs were pruned. */
export const make = (prunings: Effect.Effect<number>): Effect.Effect<EventPageCache> =>
  Effect.map(
    // Pages are in the order in which they were read: the oldest is evicted first.
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
