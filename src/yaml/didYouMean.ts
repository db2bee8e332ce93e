/**
 * What somebody may have meant who wrote a name that is not there.
 */

const maxNames = 10

/** `: did you mean "api"?`, or else the names that are there. */
export const suggestion = (word: string, names: ReadonlyArray<string>): string => {
  const near = names
    .map((name) => ({ name, distance: distance(word.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance, name }) => distance <= Math.max(1, Math.floor(Math.min(word.length, name.length) / 3)))
    .sort((a, b) => a.distance - b.distance)[0]
  if (near !== undefined) return `: did you mean "${near.name}"?`
  if (names.length === 0) return ": there are no others"
  return `: there are ${few(names)}`
}

/** The first of them, and how many more there are. */
export const few = (names: ReadonlyArray<string | number>): string => {
  const more = names.length > maxNames ? ` and ${names.length - maxNames} more` : ""
  return names.slice(0, maxNames).join(", ") + more
}

/** How many letters to change, add or leave out (Levenshtein); names that are longer than any of ours are far from all. */
const distance = (a: string, b: string): number => {
  if (a.length > 100 || b.length > 100) return Infinity
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const swap = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1)
      next.push(Math.min(swap, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
