import { describe } from "@effect/vitest"
import { storeOnFile } from "../support/storeOnFile.js"
import { conformance } from "./RunStoreConformance.js"

describe("RunStore.layer on a file", () => {
  conformance(storeOnFile)
})
