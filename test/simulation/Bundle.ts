/**
 * The simulation as one file, with the product as it is or with a part of it broken, and processes that run it.
 */
import { build, type Plugin } from "esbuild"
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { Schema } from "effect"
import * as Figures from "./Figures.js"

/** A change of the product: in this file, this text becomes that one. */
export interface Patch {
  readonly file: string
  readonly from: string
  readonly to: string
}

export const root = join(import.meta.dirname, "..", "..")

/** The text of a file with a patch in it, which has to fit one place. */
export const apply = (source: string, { file, from, to }: Patch): string => {
  const parts = source.split(from)
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times what is to be replaced: ${from}`)
  return parts.join(to)
}

export const patching = (patches: ReadonlyArray<Patch>): Plugin => ({
  name: "patches",
  setup: ({ onEnd, onLoad }) => {
    const left = new Set(patches)
    onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      const ours = patches.filter(({ file }) => path === join(root, file))
      if (ours.length === 0) return undefined
      for (const patch of ours) left.delete(patch)
      return { contents: ours.reduce(apply, await readFile(path, "utf8")), loader: "ts" }
    })
    onEnd(() => {
      const [patch] = left
      if (patch !== undefined) throw new Error(`${patch.file} is no part of the program`)
    })
  }
})

/** Functions of the product whose promises would not end within a step of the simulation, by the end of their file's path. */
const replaced = {
  "git/fs.ts": { names: "list, read, remove, replaceFlushed", by: "fs.ts" },
  "process/createFile.ts": { names: "removeDetour", by: "createFile.ts" },
  "process/OutputReader.ts": { names: "find, next", by: "OutputReader.ts" }
} as const

const standIns: Plugin = {
  name: "stand-ins",
  setup: ({ onLoad }) => {
    for (const [file, { by, names }] of Object.entries(replaced))
      onLoad({ filter: new RegExp(`/src/${file}$`) }, ({ path, suffix }) =>
        suffix === "?real"
          ? undefined
          : {
              contents: `export * from ${JSON.stringify(`${path}?real`)}
                export { ${names} } from ${JSON.stringify(join(import.meta.dirname, "nights", by))}`,
              resolveDir: root,
              loader: "ts"
            }
      )
  }
}

/** Makes the bundle, hands over its path, and removes it. */
export const withBundle = async <A>(patches: ReadonlyArray<Patch>, use: (path: string) => Promise<A>): Promise<A> => {
  // Within the project, where its dependencies are found.
  const directory = await mkdtemp(join(root, "node_modules", ".simulation-"))
  try {
    const outfile = join(directory, "worker.mjs")
    await build({
      entryPoints: [join(import.meta.dirname, "worker.ts")],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node22",
      packages: "external",
      logLevel: "silent",
      plugins: [standIns, patching(patches)]
    })
    return await use(outfile)
  } finally {
    await rm(directory, { recursive: true })
  }
}

const decode = Schema.decodeUnknownSync(Schema.parseJson(Figures.Figures))

const execute = promisify(execFile)

/** Runs one seed, and prints all that happens; returns whether nothing is wrong. */
export const trace = async (bundle: string, of: Figures.Subject, seed: number): Promise<boolean> => {
  const traced = spawn(process.execPath, [bundle, of, String(seed)], { stdio: ["ignore", "inherit", "inherit"] })
  const [code]: Array<unknown> = await once(traced, "exit")
  return code === 0
}

/** Runs seeds in as many processes as asked for. */
export const run = async (
  bundle: string,
  options: {
    readonly from: number
    readonly seeds: number
    readonly processes: number
    readonly of?: Figures.Subject
    /** Each process stops at the first seed of which something is said that matches. */
    readonly until?: RegExp
  }
): Promise<Figures.Figures> => {
  const { from, of = "one", processes, seeds, until } = options
  const ran = Array.from({ length: processes }, async (_, i) => {
    const range = [from + i, from + seeds - 1, processes]
    const args = [bundle, of, ...range, ...(until === undefined ? [] : [until.source])].map(String)
    // A larger space for what lives shortly: most of it is gone by the end of its seed, and a tenth of the time with it.
    const { stdout } = await execute(process.execPath, ["--max-semi-space-size=64", ...args], { maxBuffer: 2 ** 28 })
    return decode(stdout)
  })
  return (await Promise.all(ran)).reduce(Figures.both)
}
