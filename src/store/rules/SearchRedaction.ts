/**
 * Redacts the searchable text of runs that were recorded without redaction, such as runs of version 0.1.0. Other runs with secrets
 * have a redacted copy on record.
 */
import { Context } from "effect"
import { parse, stringify } from "../../internal/Json.js"
import type { Redaction } from "../../internal/Redaction.js"
import type { Searched } from "./searchText.js"

export class SearchRedaction extends Context.Reference<SearchRedaction>()("charlotte/SearchRedaction", {
  defaultValue: (): ((searched: Searched) => Searched) => (searched) => searched
}) {}

export const make =
  ({ json, text }: Redaction) =>
  ({ config, error, labels, titles }: Searched): Searched => ({
    config: redactedJson(json, config),
    labels: Object.fromEntries(Object.entries(labels).map(([name, value]) => [text(name), text(value)])),
    error: error && { error: redactedJson(json, error.error), cause: text(error.cause) },
    titles: titles.map(text)
  })

const redactedJson = (json: Redaction["json"], value: unknown): unknown => {
  const before = stringify(value)
  const after = json(before)
  return after === before ? value : parse(after)
}
