/**
 * Results of a size that an agent can read.
 */

/** In characters of JSON. */
const largest = 16_000

/** The first items that fit, at least one. */
export const fitting = <A>(items: ReadonlyArray<A>): ReadonlyArray<A> => {
  let size = 0
  const end = items.findIndex((item) => (size += JSON.stringify(item).length) > largest)
  return end === -1 ? items : items.slice(0, Math.max(1, end))
}

/** The items after so many that fit, and how many to skip for the next page. */
export const after = <A>(
  items: ReadonlyArray<A>,
  skip = 0
): { readonly page: ReadonlyArray<A>; readonly next?: number } => {
  const page = fitting(items.slice(skip))
  const next = skip + page.length
  return next < items.length ? { page, next } : { page }
}
