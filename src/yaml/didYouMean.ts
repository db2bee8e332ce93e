/**
 * Suggestions for a misspelt name.
 */
import { few } from "../internal/plainText.js"

const maxNames = 10
/** A shorter prefix of a name may mean something else. */
const minPrefix = 4

/** The name most similar to the word, or else starting with it, unless all of them are too different. */
export const nearest = (word: string, names: ReadonlyArray<string>): string | undefined =>
  closest(word, names) ?? names.find((name) => word.length >= minPrefix && name.startsWith(word))

const closest = (word: string, names: ReadonlyArray<string>): string | undefined =>
  names
    .map((name) => ({ name, distance: distance(word.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance, name }) => distance <= Math.max(1, Math.floor(Math.min(word.length, name.length) / 3)))
    .sort((a, b) => a.distance - b.distance)[0]?.name

/** `: did you mean "api"?`, or else the known names. */
export const suggestion = (word: string, names: ReadonlyArray<string>): string => {
  const near = nearest(word, names)
  if (near !== undefined) return `: did you mean "${near}"?`
  if (names.length === 0) return ": none are available"
  return `: expected ${oneOf(names)}`
}

export const oneOf = (names: ReadonlyArray<string | number>): string => `one of ${few(names, maxNames)}`

/** The Levenshtein distance; infinite for long names, for which computing it would be slow. */
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
