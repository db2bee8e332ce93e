/** Pages and pictures that are written by programs are what those write today. */
import { describe, expect, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { files, page } from "../../bench/harness/Report.js"
import { read, root } from "./pages.js"

const newest = async (script: string) => {
  const node = ["--import", "tsx", join(root, "scripts", script), "--print"]
  const { stdout } = await promisify(execFile)(process.execPath, node, { cwd: root, maxBuffer: 1 << 24 })
  return stdout
}

describe("generated documents", () => {
  it("docs/cli.md has the help of every command", { timeout: 300_000 }, async () => {
    expect(read("docs/cli.md"), "run npx tsx scripts/cliReference.ts").toBe(await newest("cliReference.ts"))
  })

  it("docs/performance.md and its pictures have the figures of bench/results.json", () => {
    for (const [file, text] of Object.entries(files(read(page), JSON.parse(read("bench/results.json")))))
      expect(read(file), file).toBe(text)
  })
})
