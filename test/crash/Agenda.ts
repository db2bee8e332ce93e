/**
 * Where the daemon is to be killed next: at each point often enough, and at random moments besides.
 */
import { Effect, Random } from "effect"
export interface Agenda {
  /** The next point; none for a random moment. */
  readonly next: Effect.Effect<string | undefined>
  readonly hit: (point: string) => void
  /** A point was passed by a daemon. */
  readonly passed: (point: string) => void
  /** A point was hit less often than it has to be. */
  readonly isDue: () => boolean
  /** Points that were hit less often than they have to be. */
  readonly lacking: () => ReadonlyArray<string>
  /** Points that were passed and are not in the list. */
  readonly unknown: () => ReadonlyArray<string>
  readonly figures: () => { readonly points: number; readonly least: number }
}

/** How often each point is hit at the least. */
const often = 2

export const make = (points: {
  readonly all: ReadonlyArray<string>
  /** Points that need not be hit. */
  readonly isLook: (point: string) => boolean
}): Agenda => {
  const hits = new Map(points.all.map((point) => [point, 0]))
  const tried = new Map<string, number>()
  const unknown = new Set<string>()
  const least = () => Math.min(...hits.values())
  const isDue = () => least() < often
  return {
    next: Effect.gen(function* () {
      // Most kills are at points until each has its due, and one of three after that.
      const isRandom = (yield* Random.nextIntBetween(0, 12)) < (isDue() ? 1 : 8)
      if (isRandom) return undefined
      const rank = (point: string) => (hits.get(point) ?? 0) + (tried.get(point) ?? 0) / 4
      const lowest = Math.min(...points.all.map(rank))
      const due = points.all.filter((point) => rank(point) === lowest)
      const point = due[yield* Random.nextIntBetween(0, due.length)]
      if (point !== undefined) tried.set(point, (tried.get(point) ?? 0) + 1)
      return point
    }),
    isDue,
    hit: (point) => {
      hits.set(point, (hits.get(point) ?? 0) + 1)
      tried.delete(point)
    },
    passed: (point) => {
      if (!hits.has(point) && !points.isLook(point)) unknown.add(point)
    },
    lacking: () =>
      [...hits].filter(([, times]) => times < often).map(([point, times]) => `hit ${times} times: ${point}`),
    unknown: () => [...unknown],
    figures: () => ({ points: hits.size, least: least() })
  }
}
