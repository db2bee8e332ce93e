/**
 * A program of many modules as one file, so that it starts in a fraction of the time.
 */
import { Effect } from "effect"
import { build } from "esbuild"
import { symlink } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Bundles a program into that directory, and gives its path. */
export const bundle = (directory: string, program: string): Effect.Effect<string> =>
  Effect.promise(async () => {
    const outfile = join(directory, "program.mjs")
    await build({
      entryPoints: [program],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      tsconfig: here("../../tsconfig.json"),
      external: ["better-sqlite3"],
      banner: { js: `import { createRequire as from } from "node:module"; const require = from(import.meta.url)` },
      logLevel: "error"
    })
    await symlink(here("../../node_modules"), join(directory, "node_modules"))
    return outfile
  })
