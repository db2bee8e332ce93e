/**
 * Builds the page from `src/web`, in `dist/web` or in the directory of the first argument: `index.html`, its files in `assets`, and
 * the licences of the bundled packages. The names of assets change with their content.
 */
import { build } from "esbuild"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename } from "node:path"
import { fileURLToPath } from "node:url"
import manifest from "../package.json" with { type: "json" }

const root = fileURLToPath(new URL("..", import.meta.url))
const script = "src/web/main.tsx"
const styles = "src/web/styles/page.css"
const [, , directory = `${root}dist/web`] = process.argv

const assets = `${directory}/assets`

rmSync(directory, { recursive: true, force: true })
mkdirSync(assets, { recursive: true })

const { metafile } = await build({
  absWorkingDir: root,
  bundle: true,
  entryPoints: { page: script, styles },
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  outdir: assets,
  format: "esm",
  splitting: true,
  minify: true,
  // The browsers with `light-dark()` and `Promise.withResolvers`.
  target: ["chrome123", "firefox121", "safari17.5"],
  tsconfig: "src/web/tsconfig.json",
  define: { VERSION: JSON.stringify(manifest.version) },
  legalComments: "none",
  logLevel: "warning",
  metafile: true
})

const assetOf = (source: string): string => {
  const [path] = Object.entries(metafile.outputs).flatMap(([path, { entryPoint }]) =>
    entryPoint === source ? path : []
  )
  if (path === undefined) throw new Error(`${source} was not built`)
  return `/assets/${basename(path)}`
}

// The spider's web of the header, for the tab.
const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g fill="none" stroke="#4a7dff" stroke-width="2" stroke-linecap="round"><path d="M12 12 4 4M12 12l9-6M12 12l1 10M7 7c3 0 6-.4 9 2M9 9.200c-1 2.500-.6 6 3.500 8M16 9c.4 3-.6 6-3.400 8.300"/></g></svg>`

const html = readFileSync(`${root}src/web/index.html`, "utf8")
  .replace("ICON", `data:image/svg+xml,${encodeURIComponent(icon)}`)
  .replace("STYLES", assetOf(styles))
  .replace("SCRIPT", assetOf(script))
writeFileSync(`${directory}/index.html`, html)

const packageOf = (path: string): string | undefined => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[0]

const licenceOf = (path: string): string => {
  const file = readdirSync(`${root}${path}`).find((name) => name.toLowerCase() === "license")
  if (file === undefined) throw new Error(`${path} has no licence`)
  return readFileSync(`${root}${path}/${file}`, "utf8")
}

const packages = new Set(Object.keys(metafile.inputs).flatMap((path) => packageOf(path) ?? []))
const licences = [...packages].sort().map((path) => `${path.replace(/.*node_modules\//, "")}\n\n${licenceOf(path)}`)
writeFileSync(`${directory}/licences.txt`, licences.join(`\n${"-".repeat(80)}\n\n`))
