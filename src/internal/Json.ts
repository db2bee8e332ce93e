/**
 * JSON of any value. What JSON cannot say is kept as its string, so that a result or an error is never lost for its form.
 */
import { ParseResult } from "effect"

/** How a value is written. It is looked at before its `toJSON`, since that of Effect's errors leaves the message out. */
const written = (original: unknown, value: unknown): unknown => {
  if (original instanceof Error) {
    const { message, name } = original
    // The issue of a parse error drags the whole schema along, and the message says all of it.
    return ParseResult.isParseError(original) ? { name, message } : { ...original, name, message }
  }
  if (original instanceof Map || original instanceof Set) {
    return [...original]
  }
  switch (typeof value) {
    case "bigint":
    case "symbol":
    case "function":
      return String(value)
    case "number":
      return Number.isFinite(value) ? value : String(value)
    default:
      return value
  }
}

/** SQLite takes no JSON that is deeper than 1,000, and what is wrapped around a value counts as well. */
const maxDepth = 900

/** Cuts circles, and what is too deep: many an error carries the request that it belongs to, which carries the error. */
const replacer = () => {
  /** The objects around the one that is looked at, as they are and as they are written. */
  const around: Array<{ readonly original: unknown; readonly written: unknown }> = []
  return function (this: Record<string, unknown>, key: string, value: unknown): unknown {
    while (around.length > 0 && around.at(-1)?.written !== this) around.pop()
    const original = this[key]
    const result = written(original, value)
    if (typeof result !== "object" || result === null) return result
    if (around.length >= maxDepth) return "[too deep]"
    if (around.some((other) => other.original === original)) return "[circular]"
    around.push({ original, written: result })
    return result
  }
}

/** Of a value that resists: a getter that throws, a proxy that is revoked, more depth than there is stack. */
const describe = (value: unknown): string => {
  try {
    return String(value)
  } catch {
    return "a value that cannot be read"
  }
}

/** The JSON text of `value`; `null` for `undefined`. */
export const stringify = (value: unknown): string => {
  try {
    return JSON.stringify(value, replacer()) ?? "null"
  } catch {
    return JSON.stringify(describe(value))
  }
}

/** The value of a text that is known to be JSON. */
export const parse = (json: string): unknown => JSON.parse(json)

/** `value` as it reads back from its JSON text. */
export const toJson = (value: unknown): unknown => parse(stringify(value))
