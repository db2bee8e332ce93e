import { describe } from "@effect/vitest"
import { RunStore } from "charlotte"
import { order } from "./conformance/order.js"

describe("an order of 30 days", () => {
  order(RunStore.layerMemory)
})
