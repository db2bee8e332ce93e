import { describe, it } from "@effect/vitest"
import { JobEvent } from "charlotte"
import { Arbitrary, Either, FastCheck as fc, Schema } from "effect"
import { expect } from "vitest"
import { stringify, toJson } from "../../src/internal/Json.js"
import { decode, event, Row } from "../../src/store/sql/eventRow.js"
import { damaged, told } from "./damage.js"

const bySchema = Schema.decodeUnknownEither(Row)

/** Rows as they are written: of payloads that JSON can say. */
const good = Arbitrary.make(Row).map(({ payload, ...row }) => ({
  ...Schema.encodeSync(Row)({ ...row, payload: null }),
  payload: payload && stringify(toJson(payload.json))
}))

describe("a row of an event", () => {
  it("is read as the schema reads it", () => {
    fc.assert(
      fc.property(good, (row) => {
        const read = Either.getOrThrow(decode(row))
        expect(read).toBeInstanceOf(JobEvent.JobEvent)
        expect(read).toEqual(event(Either.getOrThrow(bySchema(row))))
      })
    )
  })

  it("that is damaged is refused where the schema refuses it, with what is wrong", () => {
    fc.assert(
      fc.property(damaged(good, Object.keys(Row.fields)), (row) => {
        expect(told(decode(row))).toEqual(told(Either.map(bySchema(row), event)))
      })
    )
  })
})
