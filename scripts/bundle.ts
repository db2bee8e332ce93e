/**
 * Makes the command as it is installed, in `dist/cli` or in a directory that is named: `charlotte`, which chooses a Node,
 * `bin.cjs`, which that runs, and `main.cjs` with its chunks, of which a command loads the ones that it needs.
 */
import { build, type BuildOptions, type Plugin } from "esbuild"
import { chmodSync, copyFileSync, rmSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const [, , directory = `${root}dist/cli`] = process.argv
const bin = `${directory}/bin.cjs`
const launcher = `${directory}/charlotte`
const chunks = `${directory}/chunks`

const common = {
  absWorkingDir: root,
  platform: "node",
  logLevel: "warning",
  // The names stay, for traces.
  minifySyntax: true,
  minifyWhitespace: true
} as const satisfies BuildOptions

const beside: Plugin = {
  name: "the other file",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\/main\.js$/ }, () => ({ path: "./chunks/main.cjs", external: true }))
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
  // It finds its binaries beside its own file.
  external: ["better-sqlite3"],
  define: { "import.meta.url": "moduleUrl" },
  inject: ["scripts/FormData.ts"],
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
  // An older Node has to understand it, to say that it is too old.
  target: "node12",
  plugins: [beside]
})
copyFileSync(`${root}src/cli/charlotte.sh`, launcher)
for (const file of [bin, launcher]) chmodSync(file, 0o755)
