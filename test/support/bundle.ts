/**
 * A program of many modules as one file, so that it starts in a fraction of the time.
 */
import { Effect } from "effect"
import { build, type Plugin } from "esbuild"
import { execFile } from "node:child_process"
import { copyFile, symlink } from "node:fs/promises"
import { createRequire } from "node:module"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Bundles a program into that directory, and gives its path. */
export const bundle = (directory: string, program: string, plugins: Array<Plugin> = []): Effect.Effect<string> =>
  Effect.promise(async () => {
    const outfile = join(directory, "program.mjs")
    await build({
      entryPoints: [program],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node22",
      tsconfig: here("../../tsconfig.json"),
      external: ["better-sqlite3"],
      banner: { js: `import { createRequire as from } from "node:module"; const require = from(import.meta.url)` },
      logLevel: "error",
      plugins
    })
    await symlink(here("../../node_modules"), join(directory, "node_modules"))
    return outfile
  })

/** Makes of that directory the package as npm unpacks it, with nothing but the command, and gives the command's path. */
export const installed = (directory: string): Effect.Effect<string> =>
  Effect.promise(async () => {
    await copyFile(here("../../package.json"), join(directory, "package.json"))
    await symlink(here("../../node_modules"), join(directory, "node_modules"))
    const tsx = createRequire(import.meta.url).resolve("tsx")
    const cli = join(directory, "dist", "cli")
    await promisify(execFile)(process.execPath, ["--import", tsx, here("../../scripts/bundle.ts"), cli])
    return join(cli, "bin.cjs")
  })
