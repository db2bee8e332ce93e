/** All known wordings with which a turn of an agent fails, each in a job of its own. */
import { expect, it } from "@effect/vitest"
import * as Bundle from "../Bundle.js"
import * as Figures from "../Figures.js"
import { cases } from "./wordingCases.js"

it("no known wording with which a turn fails uses an attempt, except that a prompt is too long: the next turn does the work", async () => {
  const figures = await Bundle.withBundle([], (bundle) =>
    Bundle.run(bundle, { of: "wordings", from: 1, seeds: cases.length, processes: 2 })
  )
  process.stdout.write(`${Figures.line(figures)}\n`)
  const failed = figures.failures
    .slice(0, 3)
    .map((failure) => Figures.describe(failure, "wordings"))
    .join("\n\n")
  expect(failed, failed).toBe("")
  expect(figures.seeds).toBe(cases.length)
})
