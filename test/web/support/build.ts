/** Builds the page once, for all tests, into a directory of theirs. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  export interface ProvidedContext {
    /** The built files of the page. */
    readonly page: string
  }
}

// oxlint-disable-next-line import/no-default-export -- vitest asks for it
export default ({ provide }: TestProject) => {
  const directory = mkdtempSync(join(tmpdir(), "charlotte-page-"))
  const build = fileURLToPath(new URL("../../../scripts/buildPage.ts", import.meta.url))
  execFileSync(process.execPath, ["--import", "tsx", build, directory], { stdio: "inherit" })
  provide("page", directory)
  return () => rmSync(directory, { recursive: true, force: true })
}
