import { describe, it } from "@effect/vitest"
import { JobEvent } from "charlotte"
import { Arbitrary, Either, FastCheck as fc, Schema } from "effect"
import { expect } from "vitest"
import { stringify, toJson } from "../../src/internal/Json.js"
import { decode, event, Row } from "../../src/store/sql/eventRow.js"
import { damaged, outcome } from "./damage.js"

const bySchema = Schema.decodeUnknownEither(Row)

/** Valid rows, with payloads that JSON can represent. */
const good = Arbitrary.make(Row).map(({ payload, ...row }) => ({
  ...Schema.encodeSync(Row)({ ...row, payload: null }),
  payload: payload && stringify(toJson(payload.json))
}))

describe("eventRow.decode", () => {
  it("decodes valid rows like the schema", () => {
    fc.assert(
      fc.property(good, (row) => {
        const read = Either.getOrThrow(decode(row))
        expect(read).toBeInstanceOf(JobEvent.JobEvent)
        expect(read).toEqual(event(Either.getOrThrow(bySchema(row))))
      })
    )
  })

  it("rejects damaged rows like the schema, with the same error", () => {
    fc.assert(
      fc.property(damaged(good, Object.keys(Row.fields)), (row) => {
        expect(outcome(decode(row))).toEqual(outcome(Either.map(bySchema(row), event)))
      })
    )
  })
})
