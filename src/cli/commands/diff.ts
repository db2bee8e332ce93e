/**
 * `charlotte diff`: prints the changes of a job.
 */
import { Either } from "effect"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { job, json, number } from "./parameters.js"

const unit = Parameter.optionalArgument("unit", {
  description: "Only this unit, from the commit at which it started (default: all merged units).",
  source: "units",
  decode: Either.right
})

const task = number("task", "Only what this completed task of the unit has changed.")

const unfinished = Parameter.option(
  "unfinished",
  {
    placeholder: "N",
    description: 'Unfinished work of the unit instead, as of snapshot N, or "last": see docs/tasks.md.'
  },
  (text) =>
    text === "last"
      ? Either.right<number | "last">("last")
      : /^[1-9]\d{0,8}$/.test(text)
        ? Either.right(Number(text))
        : Either.left('a number, or "last"')
)

const stat = Parameter.flag("stat", { description: "Print only the number of changed lines of each file." })

const noPager = Parameter.flag("no-pager", {
  description: "Print directly. On a terminal, the default pager is that of GIT_PAGER or PAGER, or less."
})

export const diff = CommandTree.command(
  {
    description:
      "Print what a job has changed so far. Works while the job is running, too. A pipe gets a patch for git apply; on a terminal, control sequences are removed.",
    example: "charlotte diff latest parser --stat",
    parameters: { job, unit, task, unfinished, stat, noPager, json }
  },
  async () => (await import("../diff/printDiff.js")).printDiff
)
