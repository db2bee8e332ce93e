/**
 * Builds the command as it is installed, in `dist/cli` or in the directory of the first argument: `charlotte`, which chooses a Node
 * and runs `bin.cjs`; `main.cjs` with its chunks, which commands load as needed; and the guard process of a node of a cluster,
 * also beside the module of the library that starts it.
 */
import { build, type BuildOptions, type Plugin } from "esbuild"
import { chmodSync, copyFileSync, rmSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const command = `${root}dist/cli`
const [, , directory = command] = process.argv
const bin = `${directory}/bin.cjs`
const launcher = `${directory}/charlotte`
const chunks = `${directory}/chunks`

const common = {
  absWorkingDir: root,
  platform: "node",
  logLevel: "warning",
  // Names are kept for stack traces.
  minifySyntax: true,
  minifyWhitespace: true
} as const satisfies BuildOptions

const beside: Plugin = {
  name: "the other file",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\/main\.js$/ }, () => ({ path: "./chunks/main.cjs", external: true }))
}

/**
 * Packages import these for features that the command never uses; they would be 54 KB of the tarball, and the validator of the MCP library
 * another 40 KB.
 */
const unused: Plugin = {
  name: "unused packages",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /^(fast-check|msgpackr|ws|\.\/ajvProvider-\w+\.mjs)$/ }, ({ path }) => ({
      path,
      namespace: "unused"
    }))
    // The export of the validator of the MCP library, which is an ES module.
    onLoad({ filter: /ajvProvider/, namespace: "unused" }, () => ({ contents: "export const n = undefined" }))
    onLoad({ filter: /.*/, namespace: "unused" }, () => ({ contents: "module.exports = {}" }))
  }
}

rmSync(chunks, { recursive: true, force: true })

// esbuild splits ES modules only.
const { metafile } = await build({
  ...common,
  bundle: true,
  format: "esm",
  splitting: true,
  entryPoints: ["src/cli/main.ts"],
  outdir: chunks,
  outExtension: { ".js": ".cjs" },
  target: "node22",
  // It looks for its binaries beside its own file.
  external: ["better-sqlite3"],
  define: { "import.meta.url": "moduleUrl" },
  inject: ["scripts/FormData.ts"],
  plugins: [unused],
  metafile: true
})

await build({
  ...common,
  entryPoints: Object.keys(metafile.outputs),
  // An import of `node:http` from an ES module loads all of `fetch`: the facade of the module calls its getters.
  format: "cjs",
  supported: { "dynamic-import": false },
  outdir: chunks,
  outExtension: { ".js": ".cjs" },
  allowOverwrite: true,
  target: "node22",
  banner: { js: 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;' }
})

await build({
  ...common,
  bundle: true,
  entryPoints: ["src/cli/bin.ts"],
  outfile: bin,
  format: "cjs",
  // An older Node must parse it, to report that it is too old.
  target: "node12",
  plugins: [beside]
})
// The guard of a node is a separate process: bundled with only what it needs, it takes a quarter of the memory (11 MB unshared).
const guard = (outfile: string, format: "cjs" | "esm") =>
  build({
    ...common,
    bundle: true,
    entryPoints: ["src/cluster/guard/program.ts"],
    outfile,
    format,
    allowOverwrite: true,
    target: "node22"
  })
await guard(`${chunks}/program.cjs`, "cjs")
// The child process of a rehearsal.
await build({
  ...common,
  entryPoints: ["src/cli/rehearse/program.ts"],
  outfile: `${chunks}/program.mjs`,
  format: "esm",
  target: "node22"
})
if (directory === command) await guard(`${root}dist/cluster/guard/program.js`, "esm")

copyFileSync(`${root}src/cli/charlotte.sh`, launcher)
for (const file of [bin, launcher]) chmodSync(file, 0o755)
