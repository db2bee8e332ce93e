/** README's picture of a night is what the command shows today. */
import { expect, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { read, root } from "./pages.js"

/** What differs from run to run: ids, commits, times, and which of two units that are at work at once comes first. */
const linesOf = (svg: string): ReadonlyArray<string> =>
  [...svg.matchAll(/<text [^>]*>(.*)<\/text>/g)]
    .map(([, text = ""]) =>
      text
        .replace(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, "JOB")
        .replace(/\b[0-9a-f]{8}\b/g, "COMMIT")
        .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b/g, "TIME")
        .replace(/\b\d+:\d\d\b/g, "0:00")
        .replace(/ +agent/, "  agent")
        .replace(/ in .* {2}job/, " in 0 s  job")
    )
    .sort()

it("docs/images/night.svg is what scripts/nightPicture.ts makes", { timeout: 600_000 }, async () => {
  const node = ["--import", "tsx", join(root, "scripts/nightPicture.ts"), "--print"]
  const { stdout } = await promisify(execFile)(process.execPath, node, { cwd: root, maxBuffer: 1 << 24 })
  expect(linesOf(read("docs/images/night.svg")), "run npx tsx scripts/nightPicture.ts").toEqual(linesOf(stdout))
})
