import { describe, it } from "@effect/vitest"
import { Run } from "charlotte"
import { Arbitrary, Either, FastCheck as fc, Schema } from "effect"
import { expect } from "vitest"
import { toJson } from "../../src/internal/Json.js"
import { decode, Row, run } from "../../src/store/sql/runRow.js"
import { damaged, outcome } from "./damage.js"

const bySchema = Schema.decodeUnknownEither(Row)

const encodeRow = Schema.encodeSync(Row)

/** Valid rows, with values that JSON can represent. */
const good = Arbitrary.make(Row).map(({ config, error, result, ...row }) =>
  encodeRow({
    ...row,
    config: toJson(config),
    result: result === null ? null : toJson(result),
    error: error && new Run.RunError({ ...error, error: toJson(error.error) })
  })
)

describe("runRow.decode", () => {
  it("decodes valid rows like the schema", () => {
    fc.assert(
      fc.property(good, (row) => {
        const read = Either.getOrThrow(decode(row))
        expect(read).toBeInstanceOf(Run.Run)
        expect(read).toEqual(run(Either.getOrThrow(bySchema(row))))
      })
    )
  })

  it("rejects damaged rows like the schema, with the same error", () => {
    fc.assert(
      fc.property(damaged(good, Object.keys(Row.fields)), (row) => {
        expect(outcome(decode(row))).toEqual(outcome(Either.map(bySchema(row), run)))
      })
    )
  })
})
