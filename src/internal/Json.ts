/**
 * JSON of any value. What JSON cannot represent becomes a string, so that every result and error can be recorded.
 */
import { ParseResult } from "effect"

/** The JSON-compatible form of a value. `original` is the value before `toJSON`, which omits the message of Effect's errors. */
const toSerializable = (original: unknown, value: unknown): unknown => {
  if (original instanceof Error) {
    const { message, name } = original
    // The issue of a parse error holds the whole schema, and the message says all that matters.
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

/** SQLite rejects JSON nested deeper than 1,000 levels, and the levels around a value count as well. */
const maxDepth = 900

/** Replaces circular references, as in an error that refers to its request, and values that are nested too deeply. */
const replacer = () => {
  /** The ancestors of the current value, before and after conversion. */
  const ancestors: Array<{ readonly original: unknown; readonly serialized: unknown }> = []
  return function (this: Record<string, unknown>, key: string, value: unknown): unknown {
    while (ancestors.length > 0 && ancestors.at(-1)?.serialized !== this) ancestors.pop()
    const original = this[key]
    const result = toSerializable(original, value)
    if (typeof result !== "object" || result === null) return result
    if (ancestors.length >= maxDepth) return "[too deep]"
    if (ancestors.some((other) => other.original === original)) return "[circular]"
    ancestors.push({ original, serialized: result })
    return result
  }
}

/** Describes a value that cannot be serialized: a throwing getter, a revoked proxy, nesting that overflows the stack. */
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

/** Parses a text that is known to be JSON. */
export const parse = (json: string): unknown => JSON.parse(json)

/** `value` after a round trip through JSON. */
export const toJson = (value: unknown): unknown => parse(stringify(value))
