/**
 * The log of all events in the in-memory store, in the order of their cursors.
 */
import type { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import * as Page from "../rules/Page.js"
import type { CursorPage } from "../port/RunStoreService.js"

export interface Logged {
  readonly event: JobEvent
  /** The size of the payload as JSON. */
  readonly bytes: number
}

/** `kindOf` returns the kind of a run; `undefined` if it was pruned. */
export const make = (kindOf: (id: JobId) => string | undefined) => {
  let events: Array<Logged> = []
  let latest = 0
  let dropped = 0

  /** The index of the first event with a greater cursor. */
  const indexAfter = (cursor: number): number => {
    let [low, high] = [0, events.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((events[middle]?.event.cursor ?? Infinity) <= cursor) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    /** The latest cursor, even if its event was removed. */
    latest: () => latest,

    push: (logged: Logged): void => {
      events.push(logged)
      latest = logged.event.cursor
    },

    /** Records that this many events belong to pruned runs; they are removed once they are half of all. */
    drop: (count: number): void => {
      dropped += count
      if (dropped * 2 < events.length) return
      events = events.filter(({ event }) => kindOf(event.jobId) !== undefined)
      dropped = 0
    },

    /** The event of a cursor. */
    at: (cursor: number): JobEvent | undefined => {
      const event = events[indexAfter(cursor - 1)]?.event
      return event?.cursor === cursor ? event : undefined
    },

    page: (isWanted: (event: JobEvent) => boolean, after: number, limit: number): CursorPage => {
      const isSelected = ({ event }: Logged) => isWanted(event)
      const first = indexAfter(after)
      const candidates = events.slice(first, first + limit)
      const page = candidates.slice(
        0,
        Page.fitting(candidates, (logged) => (isSelected(logged) ? logged.bytes : 0))
      )
      return {
        events: page.filter(isSelected).map(({ event }) => event),
        cursor: page.at(-1)?.event.cursor ?? after,
        more: page.length < candidates.length || candidates.length === limit,
        size: 0
      }
    }
  }
}
