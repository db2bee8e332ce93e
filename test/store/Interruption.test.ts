import { describe } from "@effect/vitest"
import { manySteps } from "../support/interruption.js"
import { storeOnFile } from "../support/storeOnFile.js"
import { interruptions } from "./interruptions.js"

describe("RunStore.layer on a file", () => {
  interruptions(storeOnFile, manySteps)
})
