import { manySteps } from "../support/interruption.js"
import { storeOnFile } from "../support/storeOnFile.js"
import { interruptions } from "./interruptions.js"

interruptions(storeOnFile, manySteps)
