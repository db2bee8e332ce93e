/**
 * The searchable words of a run, and whether a run matches. All stores search by the same words.
 */
import { Schema } from "effect"
import { words } from "../../internal/words.js"

/** The searchable parts of a run; the numbers and strings of JSON values count, and the names of labels. */
export interface Searched {
  readonly labels: { readonly [name: string]: string }
  readonly config: unknown
  /** The error and its cause. */
  readonly error?: { readonly error: unknown; readonly cause: string } | undefined
  readonly titles: ReadonlyArray<string>
}

const Labels = Schema.Record({ key: Schema.String, value: Schema.String })

/** The data that is searched in place of labels and config if these contain secrets. */
export const Override = Schema.parseJson(Schema.Struct({ labels: Labels, config: Schema.Unknown }))

/** Maximum length of a search text, in characters. */
export const maxQueryLength = 200

/** The number of characters of each part that are searched. */
const maxPartLength = 16_384

/** The strings and numbers of a JSON value in order, up to about `maxPartLength` characters. */
const texts = (value: unknown): string => {
  const found: Array<string> = []
  const rest = [value]
  for (let length = 0; rest.length > 0 && length < maxPartLength;) {
    const next = rest.pop()
    if (typeof next === "string" || typeof next === "number") {
      const text = String(next)
      found.push(text)
      length += text.length + 1
    } else if (typeof next === "object" && next !== null) {
      for (const value of Object.values(next).toReversed()) rest.push(value)
    }
  }
  return found.join(" ")
}

/** The distinct words of a run. */
export const wordsOf = ({ config, error, labels, titles }: Searched): ReadonlySet<string> => {
  const parts = [Object.entries(labels), titles, error && [error.error, error.cause], config]
  return new Set(parts.flatMap((part) => words(texts(part).slice(0, maxPartLength))))
}

/**
 * The words that a run must have as prefixes, without words that others imply. Empty if the text has no word: every run then
 * matches.
 */
export const wanted = (text: string): ReadonlyArray<string> => {
  const all = [...new Set(words(text))]
  return all.filter((word) => !all.some((other) => other !== word && other.startsWith(word)))
}

export const matches = (wanted: ReadonlyArray<string>, run: Searched): boolean => {
  const found = [...wordsOf(run)]
  return wanted.every((word) => found.some((other) => other.startsWith(word)))
}
