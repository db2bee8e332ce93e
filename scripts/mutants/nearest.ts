/** The test files nearest to a source file: those that mirror it, then those that import it over the fewest modules. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { basename, dirname, join, relative } from "node:path"

/** Resolves what a module imports, as the tests do: relative, or by the name of the package. */
export type Resolve = (specifier: string, importer: string) => string | undefined

export const importsOf = (text: string): ReadonlyArray<string> =>
  [
    ...text.matchAll(/^(?:import|export)\b(?! type )[^"'`;]*?["']([^"']+)["']/gm),
    ...text.matchAll(/\bimport\(\s*["']([^"']+)["']/g)
  ].flatMap(([, specifier]) => specifier ?? [])

/** Who imports each module. */
export const importersOf = (
  files: ReadonlyMap<string, string>,
  resolve: Resolve
): ReadonlyMap<string, ReadonlySet<string>> => {
  const importers = new Map<string, Set<string>>()
  for (const [file, text] of files)
    for (const specifier of importsOf(text)) {
      const target = resolve(specifier, file)
      if (target === undefined) continue
      const known = importers.get(target)
      if (known === undefined) importers.set(target, new Set([file]))
      else known.add(file)
    }
  return importers
}

const common = (a: string, b: string): number => {
  const [left, right] = [a.split("/").slice(1), b.split("/").slice(1)]
  const end = left.findIndex((part, i) => part !== right[i])
  return end === -1 ? left.length : end
}

const nameOf = (path: string): string => basename(path).replace(/(\.test)?\.tsx?$/, "")

/** The beginnings of the words of a name: those of `retryJob` are in `RetryMany`, those of `subscribe` in `Subscriber`. */
const stems = (name: string): ReadonlyArray<string> =>
  name.split(/(?=[A-Z])|-/).map((word) => word.toLowerCase().slice(0, 5).replace(/[es]$/, ""))

const shared = (a: string, b: string): number => {
  const others = stems(b)
  return stems(a).filter((stem) => others.some((other) => other.startsWith(stem) || stem.startsWith(other))).length
}

/** The nearest ones first. */
export const nearest = (
  source: string,
  importers: ReadonlyMap<string, ReadonlySet<string>>,
  isTest: (file: string) => boolean
): ReadonlyArray<string> => {
  const distances = new Map([[source, 0]])
  for (const [file, distance] of distances)
    for (const importer of importers.get(file) ?? [])
      if (!distances.has(importer)) distances.set(importer, distance + 1)
  const rank = (test: string): number => {
    const near = common(test, source)
    const [name, other] = [nameOf(source), nameOf(test)]
    const mirrors = near > 0 && name.toLowerCase() === other.toLowerCase() ? 100 : 0
    return (distances.get(test) ?? 0) - 2 * near - 3 * Math.min(near, 1) * shared(name, other) - mirrors
  }
  return [...distances.keys()].filter(isTest).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
}

/** The text of each module below these directories, by its path from the root. */
export const modulesBelow = (root: string, directories: ReadonlyArray<string>): ReadonlyMap<string, string> =>
  new Map(
    directories.flatMap((directory) =>
      readdirSync(join(root, directory), { recursive: true, encoding: "utf8" })
        .filter((name) => /\.tsx?$/.test(name))
        .map((name) => [`${directory}/${name}`, readFileSync(join(root, directory, name), "utf8")] as const)
    )
  )

/** Resolves imports in this repository; `exported` has the source of each public name. */
export const resolver =
  (root: string, exported: ReadonlyMap<string, string>): Resolve =>
  (specifier, importer) => {
    if (!specifier.startsWith(".")) return exported.get(specifier)
    const path = relative(root, join(root, dirname(importer), specifier))
    return [path.replace(/\.js$/, ".ts"), path.replace(/\.js$/, ".tsx"), path].find((file) =>
      existsSync(join(root, file))
    )
  }
