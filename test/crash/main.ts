/**
 * `npm run crash -- --kills 10000`: as many kills as one likes. With `--seed NAME/N` and `--kills 20` one world is played
 * again, as far as the machine does the same again.
 */
import { spawn } from "node:child_process"
import { parseArgs } from "node:util"

const { values } = parseArgs({
  options: { kills: { type: "string" }, seed: { type: "string" }, worlds: { type: "string" } }
})

const given = Object.entries(values).map(([name, value]) => [`CRASH_${name.toUpperCase()}`, value])

const child = spawn("npx", ["vitest", "run", "test/crash/Crash.test.ts", "test/crash/Application.test.ts"], {
  stdio: "inherit",
  env: { ...process.env, CRASH_PROGRESS: "1", ...Object.fromEntries(given) }
})
child.on("exit", (code) => {
  process.exitCode = code ?? 1
})
