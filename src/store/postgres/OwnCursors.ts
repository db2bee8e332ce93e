/**
 * The cursors that a store's own writer has drawn, whose subscribers it wakes itself.
 */

/** The cursors after the first number, up to the last. */
type Range = readonly [after: number, last: number]

export interface OwnCursors {
  /** A transaction begins; the one before is over. */
  readonly begin: () => void
  /** The transaction has drawn the cursors from `first` to `last`. */
  readonly draw: (first: number, last: number) => void
  /** The transaction is committed. */
  readonly committed: () => void
  /** The transaction is rolled back, so that others will draw the same cursors. */
  readonly rolledBack: () => void
  /**
   * The cursors that others have drawn after `after`, up to `latest`, or up to those that this store may be committing at the
   * moment, whose fate is known at a later call. Forgets its own up to there.
   */
  readonly foreign: (after: number, latest: number) => { readonly foreign: ReadonlyArray<Range>; readonly upTo: number }
}

export const make = (): OwnCursors => {
  let drawing: Range | undefined
  let ranges: ReadonlyArray<Range> = []
  return {
    begin: () => void (drawing = undefined),
    draw: (first, last) => void (drawing = [first - 1, last]),
    committed: () => {
      if (drawing === undefined) return
      const [after, last] = drawing
      const before = ranges.at(-1)
      drawing = undefined
      ranges =
        before !== undefined && before[1] === after
          ? [...ranges.slice(0, -1), [before[0], last]]
          : [...ranges, [after, last]]
    },
    rolledBack: () => void (drawing = undefined),
    foreign: (after, latest) => {
      const upTo = Math.min(latest, Math.max(after, drawing?.[0] ?? latest))
      const foreign: Array<Range> = []
      let at = after
      for (const [begin, end] of ranges) {
        if (begin >= upTo) break
        if (begin > at) foreign.push([at, begin])
        at = Math.max(at, Math.min(end, upTo))
      }
      if (upTo > at) foreign.push([at, upTo])
      ranges = ranges.filter(([, last]) => last > upTo)
      return { foreign, upTo }
    }
  }
}
