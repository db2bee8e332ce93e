/**
 * Text that every database keeps as it is: SQLite replaces lone surrogates, and PostgreSQL rejects NUL.
 */
import { Schema } from "effect"

export const storable = Schema.filter(
  (text: string) => !/[\0\p{Surrogate}]/u.test(text) || "must not contain NUL or a lone surrogate"
)
