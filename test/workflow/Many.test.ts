import { describe } from "@effect/vitest"
import { RunStore } from "charlotte"
import { isLong } from "../support/long.js"
import { many } from "./conformance/many.js"

const counts = isLong ? { executions: 1_000, parents: 200 } : { executions: 100, parents: 20 }

describe("very many workflows", () => {
  many(counts)(RunStore.layerMemory)
})
