/**
 * A program that runs another one when it has no descriptor left, and then again; it prints what came of that. It has run none before:
 * the pipes of that one would be closed, and their descriptors free again, at any time.
 */
import { Duration, Effect } from "effect"
import { closeSync, openSync } from "node:fs"
import { runProgram } from "../../src/process/runProgram.js"

const run = runProgram({
  file: "true",
  args: [],
  cwd: "/",
  env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
  limit: Duration.minutes(1)
})

const files: Array<number> = []
try {
  for (;;) files.push(openSync("/dev/null", "r"))
} catch {
  // None is left.
}
const { message } = await Effect.runPromise(Effect.flip(run))
files.forEach((file) => closeSync(file))
const { code } = await Effect.runPromise(run)
process.stdout.write(JSON.stringify({ message, code }))
