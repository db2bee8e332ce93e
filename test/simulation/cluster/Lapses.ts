/**
 * Which nodes have been without their lease. One that stands still, or has no database, for longer than its lease is dead to the
 * others, and they continue its jobs. What still runs of these in its memory counts again once it has had the time to end them.
 */
import type { Life } from "../Life.js"
import type { Timeline } from "../Timeline.js"

export interface Lapses {
  /** It stands still, or has lost the database. Several such troubles may overlap. */
  readonly begin: (life: Life) => void
  readonly end: (life: Life) => void
  /** Whether what runs in it counts as running. */
  readonly counts: (life: Life) => boolean
  /** Whether it has been without a lease, or may be. */
  readonly hasLapsed: (life: Life) => boolean
}

/** Milliseconds. */
const lease = 5_000
const renewInterval = 1_000

/** What a trouble has delayed may take so long before a lease is renewed. */
const recovery = 1_500

/** Within this, a node that continues ends the jobs that others have: the next check of its lease, and the slowest of its jobs. */
const tolerance = 6_000

interface Trouble {
  /** How many troubles it has at the moment. */
  count: number
  since: number
  endedAt: number
  lapsedUntil: number
}

export const make = ({ now }: Timeline): Lapses => {
  const troubles = new Map<Life, Trouble>()
  const isLong = ({ since }: Trouble) => now() - since + renewInterval + recovery > lease
  const hasLapsed = (life: Life) => {
    const trouble = troubles.get(life)
    return trouble !== undefined && (trouble.lapsedUntil > now() || (trouble.count > 0 && isLong(trouble)))
  }
  return {
    begin: (life) => {
      const trouble = troubles.get(life) ?? { count: 0, since: 0, endedAt: -Infinity, lapsedUntil: -Infinity }
      troubles.set(life, trouble)
      if (trouble.count === 0 && now() - trouble.endedAt > renewInterval + recovery) trouble.since = now()
      trouble.count += 1
    },
    end: (life) => {
      const trouble = troubles.get(life)
      if (trouble === undefined) return
      trouble.count -= 1
      if (trouble.count > 0) return
      trouble.endedAt = now()
      if (isLong(trouble)) trouble.lapsedUntil = now() + tolerance
    },
    hasLapsed,
    counts: (life) => life.isAlive() && !life.isFrozen() && !hasLapsed(life)
  }
}
