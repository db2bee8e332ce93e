/**
 * Text that every database stores unchanged: SQLite replaces lone surrogates, and PostgreSQL rejects NUL.
 */
import { Schema } from "effect"

/** Why a text cannot be stored. */
export const storableProblem = (text: string): string | undefined =>
  /[\0\p{Surrogate}]/u.test(text) ? "must not contain NUL or a lone surrogate" : undefined

export const storable = Schema.filter(storableProblem)
