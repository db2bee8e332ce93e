import { expect, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import * as fc from "fast-check"
import { Diff } from "../../../src/http/contract/Diff.js"
import { diffPage } from "../../../src/web/diff/diffModel.js"

it("a page of a diff is what the contract says", () => {
  const encode = Schema.encodeSync(Diff)
  fc.assert(
    fc.property(Arbitrary.make(Diff), (diff) => {
      const sent = JSON.parse(JSON.stringify(encode(diff)))
      expect(JSON.parse(JSON.stringify(diffPage(sent, "")))).toEqual(sent)
    }),
    { numRuns: 50 }
  )
})
