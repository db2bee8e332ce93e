/**
 * Makes the command as it is installed, in `dist/cli` or in a directory that is named: `charlotte`, which chooses a Node,
 * `bin.cjs`, which that runs, and `main.cjs`, with all the rest.
 */
import { build, type Plugin } from "esbuild"
import { chmodSync, copyFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const [, , directory = `${root}dist/cli`] = process.argv
const bin = `${directory}/bin.cjs`
const launcher = `${directory}/charlotte`

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  // To import `node:http` from an ES module loads all of `fetch`: the facade of the module calls its getters.
  format: "cjs",
  logLevel: "warning",
  // The names stay, for traces.
  minifySyntax: true,
  minifyWhitespace: true
} as const

const beside: Plugin = {
  name: "the other file",
  setup: ({ onResolve }) => onResolve({ filter: /^\.\/main\.js$/ }, () => ({ path: "./main.cjs", external: true }))
}

await build({
  ...common,
  entryPoints: ["src/cli/main.ts"],
  outfile: `${directory}/main.cjs`,
  target: "node22",
  // It finds its binaries beside its own file.
  external: ["better-sqlite3"],
  define: { "import.meta.url": "moduleUrl" },
  banner: { js: 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;' }
})

await build({
  ...common,
  entryPoints: ["src/cli/bin.ts"],
  outfile: bin,
  // An older Node has to understand it, to say that it is too old.
  target: "node12",
  plugins: [beside]
})
copyFileSync(`${root}src/cli/charlotte.sh`, launcher)
for (const file of [bin, launcher]) chmodSync(file, 0o755)
