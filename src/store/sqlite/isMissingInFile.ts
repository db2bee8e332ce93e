import { Effect } from "effect"
import { spawn } from "node:child_process"

/** The exit code if the text does not occur; an exception in the script exits with 1. */
const missing = 3

/** Consecutive chunks overlap by the length of the text minus one byte. */
const script = `
const { openSync, readSync } = require("node:fs")
const [, filename, text] = process.argv
const file = openSync(filename, "r")
const chunk = Buffer.alloc(1 << 20)
let kept = 0
for (;;) {
  const read = readSync(file, chunk, kept, chunk.length - kept)
  if (read === 0) process.exit(${missing})
  const end = kept + read
  if (chunk.subarray(0, end).includes(text, 0, "latin1")) process.exit(0)
  kept = Math.min(end, text.length - 1)
  chunk.copyWithin(0, end - kept, end)
}
`

/**
 * Whether an ASCII text does not occur in a file; `false` when the file cannot be read. A child process reads it, since
 * closing the file in this process would release the locks that SQLite holds on it.
 */
export const isMissingInFile = (filename: string, text: string): Effect.Effect<boolean> =>
  Effect.async((resume) => {
    const child = spawn(process.execPath, ["-e", script, "--", filename, text], { env: {}, stdio: "ignore" })
    child.on("error", () => resume(Effect.succeed(false)))
    child.on("close", (code) => resume(Effect.succeed(code === missing)))
    return Effect.sync(() => void child.kill("SIGKILL"))
  })
