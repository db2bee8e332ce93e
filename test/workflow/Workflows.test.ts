import { describe } from "@effect/vitest"
import { RunStore } from "charlotte"
import { conformance } from "./WorkflowConformance.js"

describe("workflows", () => {
  conformance(RunStore.layerMemory)
})
