/** Rows that somebody has written into, and what is said of them. */
import { Either, FastCheck as fc, type ParseResult } from "effect"

/** What may stand in a column then. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(null, "", "{", "null", "[]", "[1]", '{"a":1}', "running", -1, 1e300, Number.NaN, 0.5),
  fc.string(),
  fc.uint8Array()
)

/** Good rows, of which one column holds something odd. */
export const damaged = <Row extends object>(good: fc.Arbitrary<Row>, columns: ReadonlyArray<string>) =>
  fc.tuple(good, fc.constantFrom(...columns), odd).map(([row, column, value]) => ({ ...row, [column]: value }))

/** What was read, or what is wrong. */
export const told = Either.mapLeft(({ message }: ParseResult.ParseError) => message)
