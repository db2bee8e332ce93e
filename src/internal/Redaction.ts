/**
 * Keeps known secrets out of what is written. It knows them as they are, and as JSON says them: not in another encoding, and not
 * in pieces.
 */

export interface Redaction {
  /** The text, with a mark in place of each secret. */
  readonly text: (text: string) => string
  /** The same of all texts in a JSON text. */
  readonly json: (json: string) => string
}

/** One that gets to know more of them. */
export interface Growing extends Redaction {
  readonly learn: (secret: string) => void
}

const mark = "[redacted]"

/** Shorter ones are found in innocent words, and protect nothing. */
const shortest = 8

/** A secret of several lines is printed with something before each. */
const parts = (secret: string): ReadonlyArray<string> =>
  [secret, ...secret.split("\n")].map((part) => part.trim()).filter((part) => part.length >= shortest)

/** The longest first: one may be the beginning of another. */
const anyOf = (texts: ReadonlyArray<string>): RegExp =>
  new RegExp(
    [...texts]
      .sort((a, b) => b.length - a.length)
      .map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"))
      .join("|"),
    "g"
  )

const inQuotes = (text: string): string => JSON.stringify(text).slice(1, -1)

export const none: Redaction = { text: (text) => text, json: (json) => json }

export const make = (secrets: Iterable<string>): Redaction => {
  // A message may hold the JSON of something that holds one.
  const known = [...new Set([...secrets].flatMap(parts).flatMap((part) => [part, inQuotes(part)]))]
  if (known.length === 0) return none
  const plain = anyOf(known)
  const quoted = anyOf(known.map(inQuotes))
  const text = (text: string): string => text.replace(plain, mark)

  const redact = (value: unknown): unknown => {
    if (typeof value === "string") return text(value)
    if (Array.isArray(value)) return value.map(redact)
    if (typeof value !== "object" || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, value]) => [text(name), redact(value)]))
  }

  return {
    text,
    // Most hold none, which is seen at once. What looks like one may begin inside of an escape, so it is taken apart.
    json: (json) => (json.search(quoted) === -1 ? json : JSON.stringify(redact(JSON.parse(json))))
  }
}

/** It begins with these. */
export const growing = (secrets: Iterable<string>): Growing => {
  const known = [...secrets]
  let current = make(known)
  return {
    text: (text) => current.text(text),
    json: (json) => current.json(json),
    learn: (secret) => {
      known.push(secret)
      current = make(known)
    }
  }
}
