/**
 * Redacts known secrets. It finds them verbatim and JSON-escaped, but not in another encoding or in pieces.
 */

export interface Redaction {
  /** Replaces each secret in a text by a mark. */
  readonly text: (text: string) => string
  /** Replaces each secret in the strings of a JSON document. */
  readonly json: (json: string) => string
}

/** A redaction to which secrets can be added. */
export interface Growing extends Redaction {
  readonly learn: (secret: string) => void
}

const mark = "[redacted]"

/** Minimum length: shorter secrets would match ordinary words. */
const minLength = 8

/** The parts of a secret: the whole, and each line, since a multi-line secret is often printed with a prefix on every line. */
const parts = (secret: string): ReadonlyArray<string> =>
  [secret, ...secret.split("\n")].map((part) => part.trim()).filter((part) => part.length >= minLength)

/** The texts are ordered longest first, since one may be a prefix of another. */
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
  // A message may contain the JSON encoding of a secret.
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
    // Fast path: most documents contain no secret. A match may start inside an escape sequence, so the JSON is parsed.
    json: (json) => (json.search(quoted) === -1 ? json : JSON.stringify(redact(JSON.parse(json))))
  }
}

/** A redaction that starts with these secrets. */
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
