/**
 * The cursors that a store's writers have drawn; they wake the subscribers of these cursors themselves.
 */

/** The cursors after the first number, up to the last. */
type Range = readonly [after: number, last: number]

export interface OwnCursors {
  /** Records that a transaction has drawn the cursors from `first` to `last`. */
  readonly draw: (transaction: object, first: number, last: number) => void
  /** Records that the transaction is committed. */
  readonly committed: (transaction: object) => void
  /** Records that the transaction is rolled back, so that others will draw the same cursors. */
  readonly rolledBack: (transaction: object) => void
  /**
   * The cursors that others have drawn after `after`, up to `latest`, or up to the cursors that this store may be committing at the
   * moment, whose outcome is known at a later call. It forgets this store's cursors up to there.
   */
  readonly foreign: (after: number, latest: number) => { readonly foreign: ReadonlyArray<Range>; readonly upTo: number }
}

export const make = (): OwnCursors => {
  const drawing = new Map<object, Range>()
  let ranges: ReadonlyArray<Range> = []
  return {
    // A transaction's later cursors follow directly, since it has locked the log.
    draw: (transaction, first, last) =>
      void drawing.set(transaction, [drawing.get(transaction)?.[0] ?? first - 1, last]),
    committed: (transaction) => {
      const drawn = drawing.get(transaction)
      drawing.delete(transaction)
      if (drawn === undefined) return
      const [after, last] = drawn
      const before = ranges.at(-1)
      if (before !== undefined && before[1] === after) ranges = [...ranges.slice(0, -1), [before[0], last]]
      // Of two commits, the response to the later one may be handled before the response to the one that has drawn its cursors earlier.
      else ranges = [...ranges, drawn].toSorted(([a], [b]) => a - b)
    },
    rolledBack: (transaction) => void drawing.delete(transaction),
    foreign: (after, latest) => {
      const undecided = Math.min(latest, ...Array.from(drawing.values(), ([first]) => first))
      const upTo = Math.min(latest, Math.max(after, undecided))
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
