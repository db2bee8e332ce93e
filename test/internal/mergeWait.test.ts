import { expect, it } from "vitest"
import * as mergeWait from "../../src/internal/mergeWait.js"

it("a unit that waits for others to be merged names the first of them", () => {
  expect(mergeWait.text(["api"])).toBe("waits for api to be merged")
  expect(mergeWait.text(["a", "b", "c"])).toBe("waits for a, b and c to be merged")
  expect(mergeWait.text(["a", "b", "c", "d", "e"])).toBe("waits for a, b, c and 2 more to be merged")
})
