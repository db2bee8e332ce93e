/**
 * A program of many modules as one file, so that it starts in a fraction of the time.
 */
import { Effect } from "effect"
import { build, type BuildOptions, type Plugin } from "esbuild"
import { execFile } from "node:child_process"
import { copyFile, symlink, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** How programs are bundled; the modules that are no files of the bundle are found beside it. */
const options: BuildOptions = {
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node22",
  tsconfig: here("../../tsconfig.json"),
  external: ["better-sqlite3"],
  banner: { js: `import { createRequire as from } from "node:module"; const require = from(import.meta.url)` },
  logLevel: "error"
}

const linkModules = (directory: string) => symlink(here("../../node_modules"), join(directory, "node_modules"))

/** Bundles a program into that directory, and gives its path. */
export const bundle = (directory: string, program: string, plugins: Array<Plugin> = []): Effect.Effect<string> =>
  Effect.promise(async () => {
    const outfile = join(directory, "program.mjs")
    await build({ ...options, entryPoints: [program], outfile, plugins })
    await linkModules(directory)
    return outfile
  })

/** Bundles programs into that directory, each as NAME.js beside the chunks that they share. */
export const bundleAll = async (directory: string, programs: Readonly<Record<string, string>>) => {
  await build({ ...options, entryPoints: programs, outdir: directory, splitting: true })
  await writeFile(join(directory, "package.json"), '{ "type": "module" }')
  await linkModules(directory)
}

/** Makes of that directory the package as npm unpacks it, with nothing but the command, and gives the command's path. */
export const installed = (directory: string): Effect.Effect<string> =>
  Effect.promise(async () => {
    await copyFile(here("../../package.json"), join(directory, "package.json"))
    await linkModules(directory)
    const tsx = createRequire(import.meta.url).resolve("tsx")
    const cli = join(directory, "dist", "cli")
    await promisify(execFile)(process.execPath, ["--import", tsx, here("../../scripts/bundle.ts"), cli])
    return join(cli, "bin.cjs")
  })
