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

/** The beginning of a text that has at most so many bytes of UTF-8. */
export const beginning = (text: string, bytes: number): string =>
  // `encodeInto` never writes part of a character.
  text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(bytes)).read)

export const storable = Schema.filter(storableProblem)
