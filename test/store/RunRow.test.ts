import { describe, it } from "@effect/vitest"
import { Run } from "charlotte"
import { Arbitrary, Either, FastCheck as fc, Schema } from "effect"
import { expect } from "vitest"
import { toJson } from "../../src/internal/Json.js"
import { decode, Row, run } from "../../src/store/sql/runRow.js"
import { damaged, told } from "./damage.js"

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
      fc.property(damaged(good, Object.keys(Row.fields)), (row) => {
        expect(told(decode(row))).toEqual(told(Either.map(bySchema(row), run)))
      })
    )
  })
})
