/**
 * The version of a kind, if its definition names none: a hash of its schemas. A change of how a schema is written may change it; that
 * only lets more nodes try to decode a run.
 */
import { createHash } from "node:crypto"
import type { Schema } from "effect"

/** How many characters of the hash are a version. */
const length = 12

const textOf = ({ ast }: Schema.Schema.All): string => {
  try {
    return JSON.stringify(ast)
  } catch {
    // An annotation that is no JSON.
    return String(ast)
  }
}

export const versionOf = (schemas: { readonly [name: string]: Schema.Schema.All }): string =>
  createHash("sha256")
    .update(JSON.stringify(Object.entries(schemas).map(([name, schema]) => [name, textOf(schema)])))
    .digest("hex")
    .slice(0, length)
