/**
 * JSON of any value. What JSON cannot say is kept as its string, so that a result or an error is never lost for its form.
 */
import { Inspectable } from "effect"

/** Looks at the value before its `toJSON`, since that of Effect's errors leaves the message out. */
function replace(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key]
  if (original instanceof Error) {
    return { ...original, name: original.name, message: original.message }
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

/** The JSON text of `value`; `null` for `undefined`. */
export const stringify = (value: unknown): string => {
  try {
    return JSON.stringify(value ?? null, replace)
  } catch {
    return JSON.stringify(Inspectable.toStringUnknown(value))
  }
}

/** `value` as it reads back from its JSON text. */
export const toJson = (value: unknown): unknown => JSON.parse(stringify(value))
