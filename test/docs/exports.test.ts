/** The doc comments of what package.json exports. */
import { describe, expect, it } from "@effect/vitest"
import { Predicate } from "effect"
import { join } from "node:path"
import ts from "typescript"
import manifest from "../../package.json" with { type: "json" }
import { root } from "./pages.js"

const modules = Object.values(manifest.exports).flatMap((target) =>
  Predicate.isString(target) ? [] : [join(root, target.types.replace("./dist/", "src/").replace(/\.d\.ts$/, ".ts"))]
)

/** The tags stand at the statement, which may declare several names. */
const statementOf = (declaration: ts.Node): ts.Node =>
  ts.isVariableStatement(declaration) || ts.isSourceFile(declaration.parent)
    ? declaration
    : statementOf(declaration.parent)

const missingIn = (statement: ts.Node): ReadonlyArray<string> => {
  const docs = ts.getJSDocCommentsAndTags(statement).filter(ts.isJSDoc)
  const tags = docs.flatMap(({ tags = [] }) => tags.map(({ tagName }) => tagName.text))
  if (tags.includes("internal")) return []
  return [
    ...(docs.some(({ comment }) => comment !== undefined) ? [] : ["a description"]),
    ...["since", "category"].filter((tag) => !tags.includes(tag)).map((tag) => `@${tag}`)
  ]
}

/** The exports of a module and of the namespaces in it, each at its declaration. */
const problemsOf = (files: ReadonlyArray<string>): ReadonlyArray<string> => {
  const program = ts.createProgram(files, {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    noEmit: true
  })
  const checker = program.getTypeChecker()
  const seen = new Set<ts.Node>()
  const visit = (file: ts.Node): ReadonlyArray<string> => {
    const module = checker.getSymbolAtLocation(file)
    return module === undefined ? [] : checker.getExportsOfModule(module).flatMap(ofExport)
  }
  const ofExport = (symbol: ts.Symbol): ReadonlyArray<string> => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    return (target.declarations ?? []).flatMap((declaration) => {
      const { fileName } = declaration.getSourceFile()
      if (seen.has(declaration) || !fileName.startsWith(join(root, "src"))) return []
      seen.add(declaration)
      if (ts.isSourceFile(declaration)) return visit(declaration)
      const missing = missingIn(statementOf(declaration))
      return missing.length === 0 ? [] : [`${fileName.slice(root.length)}: ${symbol.name} lacks ${missing.join(", ")}`]
    })
  }
  const problems = files.flatMap((file) => {
    const source = program.getSourceFile(file)
    return source === undefined ? [`${file} is missing`] : visit(source)
  })
  expect(seen.size).toBeGreaterThan(150)
  return problems
}

describe("public modules", () => {
  it("every export has a doc comment with @since and @category", { timeout: 300_000 }, () => {
    expect(problemsOf(modules)).toEqual([])
  })
})
