/** What the parent hands to the process of the tests, and what that reports, each report a line of JSON. */
import { appendFileSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { Planted } from "./mutations.js"

export interface Mutant extends Planted {
  /** From the root. */
  readonly file: string
  /** The test files to run, from the root. */
  readonly tests: ReadonlyArray<string>
}

export interface Plan {
  readonly root: string
  readonly mutants: ReadonlyArray<Mutant>
  /** Seconds of the processor for each mutant. */
  readonly budget: number
}

export type Report =
  | { readonly _tag: "Loaded"; readonly test: string; readonly failing: ReadonlyArray<string> }
  | { readonly _tag: "Begun"; readonly id: number; readonly test: string; readonly limit: number }
  | { readonly _tag: "Caught"; readonly id: number; readonly test: string; readonly by: string }
  | { readonly _tag: "Passed"; readonly id: number; readonly test: string; readonly ran: number; readonly cpu: number }
  | { readonly _tag: "Finished"; readonly test: string }

/** The variable with the directory of the plan; `test/support/machine.ts` keeps such variables. */
export const variable = "CHARLOTTE_TEST_MUTANTS"

export const planFile = (directory: string): string => join(directory, "plan.json")

const reportFile = (directory: string): string => join(directory, "reports.jsonl")

export const readPlan = (directory: string): Plan => JSON.parse(readFileSync(planFile(directory), "utf8"))

export const report = (directory: string, value: Report): void =>
  appendFileSync(reportFile(directory), `${JSON.stringify(value)}\n`)

export const readReports = (directory: string): ReadonlyArray<Report> =>
  readFileSync(reportFile(directory), { encoding: "utf8", flag: "a+" })
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Report => JSON.parse(line))
