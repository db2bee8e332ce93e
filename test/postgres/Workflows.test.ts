import { describe } from "@effect/vitest"
import { many } from "../workflow/conformance/many.js"
import { order } from "../workflow/conformance/order.js"
import { conformance } from "../workflow/WorkflowConformance.js"
import { layer } from "./store.js"

describe("workflows on PostgreSQL", () => {
  conformance(layer)
})

describe("an order of 30 days on PostgreSQL", () => {
  order(layer)
})

describe("very many workflows on PostgreSQL", () => {
  many({ executions: 100, parents: 20 })(layer)
})
