import { describe } from "@effect/vitest"
import { order } from "./conformance/order.js"
import { stores } from "./scene.js"

for (const [where, store] of Object.entries(stores)) {
  describe(`an order of 30 days ${where}`, () => {
    order(store)
  })
}
