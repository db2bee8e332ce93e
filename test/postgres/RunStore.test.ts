import { describe } from "@effect/vitest"
import { conformance } from "../store/RunStoreConformance.js"
import { layer } from "./store.js"

describe("RunStore.layer on PostgreSQL", () => {
  conformance(layer)
})
