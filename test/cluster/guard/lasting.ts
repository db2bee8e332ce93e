import { stubborn } from "../../process/workshop.js"

/** Stubborn processes that do not end before they are killed; the runner itself ends what outlives its parent. */
export const lasting: ReadonlyArray<string> = Object.entries(stubborn)
  .filter(([name]) => name !== "exits before its child")
  .map(([, text]) => text)
