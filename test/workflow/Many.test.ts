import { describe } from "@effect/vitest"
import { isLong } from "../support/long.js"
import { many } from "./conformance/many.js"
import { stores } from "./scene.js"

const counts = isLong ? { executions: 1_000, parents: 200 } : { executions: 100, parents: 20 }

for (const [where, store] of Object.entries(stores)) {
  describe(`very many workflows ${where}`, () => {
    many(counts)(store)
  })
}
