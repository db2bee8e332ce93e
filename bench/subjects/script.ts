/**
 * The same calls of git and sh by a script of the shell.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import { number, report, stopwatch, text } from "../harness/Subject.js"
import * as Plan from "./plan.js"

const root = text("root")
const repository = Plan.make(root, number("units"), number("tasks"))
mkdirSync(`${root}/worktrees`)
const read = stopwatch()
execFileSync("sh", [text("script"), repository, `${root}/worktrees`], { stdio: ["ignore", "ignore", "inherit"] })
report(read(number("units") * number("tasks")))
