/**
 * Measured scripts. Each is bundled with the sources of this repository, as its users get them, and runs in a fresh process of
 * plain Node.
 */
import { spawn } from "node:child_process"
import { mkdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import type { Figures, Parameters } from "./Subject.js"

export const root = fileURLToPath(new URL("../..", import.meta.url))

/** Bundles of peers resolve the peers' packages, all others only the packages of the product. */
const bundles = (script: string): string =>
  join(root, script.startsWith("peers/") ? "bench" : "", "node_modules", ".bench")

const built = new Map<string, Promise<string>>()

/** Bundles a script once; packages stay external. */
const bundle = (script: string): Promise<string> => {
  const outfile = join(bundles(script), basename(script).replace(/\.ts$/, ".mjs"))
  const before = built.get(script)
  if (before !== undefined) return before
  const after = (async () => {
    mkdirSync(dirname(outfile), { recursive: true })
    await build({
      entryPoints: [join(root, "bench", script)],
      outfile,
      bundle: true,
      packages: "external",
      platform: "node",
      format: "esm",
      target: "node22",
      tsconfig: join(root, "tsconfig.json"),
      logLevel: "warning"
    })
    return outfile
  })()
  built.set(script, after)
  return after
}

export interface Subject {
  /** Path below `bench`. */
  readonly script: string
  readonly parameters: Parameters
  readonly node?: ReadonlyArray<string>
  /** Whether strace counts the syncs of files, as the figure `syncs`; everything else takes longer then. */
  readonly countsSyncs?: boolean
}

const isFigures = (value: unknown): value is Figures =>
  typeof value === "object" && value !== null && Object.values(value).every((figure) => typeof figure === "number")

/** The calls in a summary of strace, whose last column is the name of the call and whose fourth is their number. */
const syncsIn = (summary: string): number =>
  summary.split("\n").reduce((sum, line) => {
    const columns = line.trim().split(/\s+/)
    return /^f(data)?sync$/.test(columns.at(-1) ?? "") ? sum + Number(columns[3]) : sum
  }, 0)

/** Runs a subject, and returns its figures. */
export const run = async ({ countsSyncs = false, node = [], parameters, script }: Subject): Promise<Figures> => {
  const file = await bundle(script)
  const command = [process.execPath, ...node, file, JSON.stringify(parameters)]
  const summary = join(tmpdir(), `charlotte-bench-${process.pid}.strace`)
  const strace = ["strace", "-f", "-c", "-e", "trace=fsync,fdatasync", "-o", summary]
  const [executable = "", ...rest] = countsSyncs ? [...strace, ...command] : command
  const child = spawn(executable, rest, {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"]
  })
  let output = ""
  child.stdout.setEncoding("utf8").on("data", (data: string) => (output += data))
  // The child must not outlive an aborted benchmark.
  const kill = () => child.kill("SIGKILL")
  process.once("exit", kill)
  const code = await new Promise((resolve) => child.once("close", resolve))
  process.off("exit", kill)
  if (code !== 0) throw new Error(`${script} ${JSON.stringify(parameters)} ended with ${String(code)}\n${output}`)
  const figures: unknown = JSON.parse(output.trimEnd().split("\n").at(-1) ?? "")
  if (!isFigures(figures)) throw new Error(`${script} reported ${output}`)
  if (!countsSyncs) return figures
  const syncs = syncsIn(readFileSync(summary, "utf8"))
  rmSync(summary)
  return { ...figures, syncs }
}
