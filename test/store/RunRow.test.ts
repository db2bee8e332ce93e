import { describe, it } from "@effect/vitest"
import { Run } from "charlotte"
import { Arbitrary, Either, FastCheck as fc, type ParseResult, Schema } from "effect"
import { expect } from "vitest"
import { toJson } from "../../src/domain/Json.js"
import { decode, Row, run } from "../../src/store/sql/runRow.js"

const bySchema = Schema.decodeUnknownEither(Row)

const encodeRow = Schema.encodeSync(Row)

/** Rows as they are written: of values that JSON can say. */
const good = Arbitrary.make(Row).map(({ config, error, result, ...row }) =>
  encodeRow({
    ...row,
    config: toJson(config),
    result: result === null ? null : toJson(result),
    error: error && new Run.RunError({ ...error, error: toJson(error.error) })
  })
)

/** What may stand in a column of a database that somebody has written into. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(null, "", "{", "null", "[]", "[1]", '{"a":1}', "running", -1, 1e300, Number.NaN, 0.5),
  fc.string(),
  fc.uint8Array()
)

const damaged = fc
  .tuple(good, fc.constantFrom(...Object.keys(Row.fields)), odd)
  .map(([row, column, value]) => ({ ...row, [column]: value }))

const told = Either.mapLeft(({ message }: ParseResult.ParseError) => message)

describe("a row of a run", () => {
  it("is read as the schema reads it", () => {
    fc.assert(
      fc.property(good, (row) => {
        const read = Either.getOrThrow(decode(row))
        expect(read).toBeInstanceOf(Run.Run)
        expect(read).toEqual(run(Either.getOrThrow(bySchema(row))))
      })
    )
  })

  it("that is damaged is refused where the schema refuses it, with what is wrong", () => {
    fc.assert(
      fc.property(damaged, (row) => {
        expect(told(decode(row))).toEqual(told(Either.map(bySchema(row), run)))
      })
    )
  })
})
