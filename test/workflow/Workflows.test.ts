import { describe } from "@effect/vitest"
import { stores } from "./scene.js"
import { conformance } from "./WorkflowConformance.js"

for (const [where, store] of Object.entries(stores)) {
  describe(`workflows ${where}`, () => {
    conformance(store)
  })
}
