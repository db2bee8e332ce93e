/**
 * Makes the command as it is installed, in `dist/cli` or in a directory that is named: `charlotte`, which chooses a Node,
 * `bin.cjs`, and beside them all of its code in one file, of which a process evaluates only what it comes to need. That file is then run once, and what V8 has made
 * of it is kept.
 */
import { build, type Plugin } from "esbuild"
import { execFileSync } from "node:child_process"
import { chmodSync, copyFileSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const [, , directory = `${root}dist/cli`] = process.argv
const file = `${directory}/charlotte.cjs`
const bin = `${directory}/bin.cjs`
const launcher = `${directory}/charlotte`

/** `import { Effect } from "effect"` brings all of what each module has; by the module's own name, only what is used. */
const modulesByName: Plugin = {
  name: "modules by name",
  setup: ({ onLoad }) => {
    const byName = (names: string) =>
      names
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "" && !name.startsWith("type "))
        .map((name) =>
          /^[a-z]/.test(name)
            ? `import { ${name} } from "effect/Function"`
            : `import * as ${name} from "effect/${name}"`
        )
        .join(";")
    onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replaceAll(/^import \{([^}]*)\} from "effect"$/gm, (_, names) =>
        byName(names)
      ),
      loader: "ts"
    }))
  }
}

/** What others could do with these packages, and Charlotte never does: files of options, web sockets, random numbers of ulid's own. */
const never = [
  { path: /^(ini|toml|yaml|ws)$/, importer: "/node_modules/@effect/" },
  { path: /^node:crypto$/, importer: "/node_modules/ulid/" }
]

/** Take long to begin, and are asked for little, so that they are loaded with the first call of one of these. */
const later: { readonly [path: string]: ReadonlyArray<string> } = {
  "string-width": ["default"],
  "node:crypto": ["createHash", "randomBytes", "randomUUID", "timingSafeEqual"],
  "node:fs/promises": [
    "access",
    "chmod",
    "copyFile",
    "cp",
    "lstat",
    "mkdir",
    "open",
    "readFile",
    "readdir",
    "readlink"
  ].concat(["realpath", "rename", "rm", "rmdir", "stat", "statfs", "writeFile"])
}

const packages: Plugin = {
  name: "packages that cost more than they give",
  setup: ({ onLoad, onResolve }) => {
    for (const { importer: whose, path: filter } of never) {
      onResolve({ filter }, ({ importer, path }) =>
        importer.includes(whose) ? { path, namespace: "never" } : undefined
      )
    }
    onLoad({ filter: /./, namespace: "never" }, () => ({ contents: "module.exports = {}" }))
    onResolve({ filter: new RegExp(`^(${Object.keys(later).join("|")})$`) }, ({ kind, path }) =>
      kind === "import-statement" ? { path, namespace: "later" } : undefined
    )
    onLoad({ filter: /./, namespace: "later" }, ({ path }) => ({
      contents: (later[path] ?? [])
        .map(
          (name) => `const ${name}_ = (...args) => require("${path}").${name}(...args); export { ${name}_ as ${name} }`
        )
        .join("\n"),
      resolveDir: root
    }))
    // It looks for its library beside its own file, which is not where the bundle is.
    onLoad({ filter: /\/better-sqlite3\/lib\/binding\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replaceAll(
        "__dirname",
        'path.dirname(require.resolve("better-sqlite3"))'
      ),
      loader: "js"
    }))
    // It looks whether the names of functions are in traces, as they are here; to make the first of a process takes 2 ms.
    onLoad({ filter: /\/effect\/dist\/esm\/Utils\.js$/ }, async ({ path }) => {
      const look = /(const isNotOptimizedAway) = .*;/
      const contents = await readFile(path, "utf8")
      if (!look.test(contents)) throw new Error(`${path} does not look any more; leave this out`)
      return { contents: contents.replace(look, "$1 = true;") }
    })
  }
}

/** No form is ever sent, and merely to look whether something is one would load all of `fetch`. */
const noForms = {
  name: "no forms",
  setup: ({ onLoad, onResolve }: Parameters<Plugin["setup"]>[0]) => {
    onResolve({ filter: /^no-forms$/ }, ({ path }) => ({ path, namespace: "no-forms" }))
    onLoad({ filter: /./, namespace: "no-forms" }, () => ({ contents: "export class FormData {}" }))
  }
}

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node22",
  logLevel: "warning"
} as const

await build({
  ...common,
  stdin: {
    contents: 'export { main, start } from "./src/cli/main.ts"; export { runPromise } from "effect/Effect"',
    resolveDir: root
  },
  outfile: file,
  format: "cjs",
  banner: { js: "(function (module, require, $url) {" },
  define: { "import.meta.url": "$url" },
  footer: { js: "})" },
  inject: ["no-forms"],
  plugins: [modulesByName, packages, noForms],
  logOverride: { "require-resolve-not-external": "silent" },
  // The names stay, for traces.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "external",
  supported: { "regexp-set-notation": true }
})

await build({
  ...common,
  entryPoints: ["src/cli/installed.ts"],
  outfile: bin,
  format: "cjs",
  // An older Node has to understand it, to say that it is too old.
  target: "node12",
  define: { "import.meta.dirname": "__dirname" }
})
copyFileSync(`${root}src/cli/charlotte.sh`, launcher)
for (const file of [bin, launcher]) chmodSync(file, 0o755)

// What it says is of interest only where it fails, and then in the error.
execFileSync(process.execPath, ["--import", import.meta.resolve("tsx"), `${root}scripts/tour.ts`, file], {
  cwd: root,
  stdio: "pipe"
})
