/**
 * Damaged rows, and the results of decoding them.
 */
import { Either, FastCheck as fc, type ParseResult } from "effect"

/** Values that a damaged column may have. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(null, "", "{", "null", "[]", "[1]", '{"a":1}', "running", -1, 1e300, Number.NaN, 0.5),
  fc.string(),
  fc.uint8Array()
)

/** Valid rows with one damaged column. */
export const damaged = <Row extends object>(good: fc.Arbitrary<Row>, columns: ReadonlyArray<string>) =>
  fc.tuple(good, fc.constantFrom(...columns), odd).map(([row, column, value]) => ({ ...row, [column]: value }))

/** The decoded value or the error message. */
export const outcome = Either.mapLeft(({ message }: ParseResult.ParseError) => message)
