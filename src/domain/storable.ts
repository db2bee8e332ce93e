/**
 * Text that every database stores unchanged: SQLite replaces lone surrogates, and PostgreSQL rejects NUL.
 */
import { Schema } from "effect"

/** Why a text cannot be stored. */
export const storableProblem = (text: string): string | undefined =>
  /[\0\p{Surrogate}]/u.test(text) ? "must not contain NUL or a lone surrogate" : undefined

/** Why a name of at most so many bytes cannot be recorded. */
export const nameProblem = (name: string, maxBytes: number): string | undefined => {
  if (name === "" || Buffer.byteLength(name) > maxBytes) return `a name has 1 to ${maxBytes} bytes`
  const problem = storableProblem(name)
  return problem === undefined ? undefined : `its name ${problem}`
}

export const storable = Schema.filter(storableProblem)
