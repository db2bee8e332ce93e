/**
 * Why a unit waits that is done, or that begins at the merge of others, in words.
 */
const mostNamed = 3

export const text = (units: ReadonlyArray<string>): string => {
  const named = units.slice(0, mostNamed)
  const rest = units.length - named.length
  const names = rest > 0 ? [...named, `${rest} more`] : named
  const first = names.slice(0, -1).join(", ")
  return `waits for ${first === "" ? "" : `${first} and `}${names.slice(-1).join("")} to be merged`
}
