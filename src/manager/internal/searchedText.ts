/**
 * The searchable text of a run whose configuration has `Redacted` values.
 */
import { Redacted } from "effect"
import { toJson } from "../../internal/Json.js"

/** The texts and numbers of the `Redacted` values in a decoded configuration. */
const secretsIn = (config: unknown): ReadonlyArray<string> => {
  const secrets = new Set<string>()
  const seen = new Set<object>()
  const rest: Array<readonly [value: unknown, isSecret: boolean]> = [[config, false]]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const [value, isSecret] = next
    if (Redacted.isRedacted(value)) rest.push([Redacted.value(value), true])
    else if (typeof value === "object" && value !== null && !seen.has(value)) {
      seen.add(value)
      for (const part of Object.values(value)) rest.push([part, isSecret])
    } else if (isSecret && (typeof value === "string" || typeof value === "number")) secrets.add(String(value))
  }
  return [...secrets].filter((secret) => secret !== "")
}

/** Minimum length of a secret that is replaced inside a longer text: shorter ones would match ordinary words. */
const minLength = 8

/** JSON text of labels and configuration without their secrets; undefined if they have none. */
export const searchedText = (
  config: unknown,
  submitted: { readonly labels: { readonly [name: string]: string }; readonly config: unknown }
): string | undefined => {
  const secrets = secretsIn(config)
  if (secrets.length === 0) return undefined
  const long = secrets.filter(({ length }) => length >= minLength)
  const without = (_: string, value: unknown): unknown => {
    if (typeof value !== "string" && typeof value !== "number") return value
    if (secrets.includes(String(value))) return ""
    return typeof value === "string" ? long.reduce((text, secret) => text.replaceAll(secret, " "), value) : value
  }
  return JSON.stringify(toJson(submitted), without)
}
