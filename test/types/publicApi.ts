/**
 * Prints the API of the package as JSON: a report of each name of each public module with its declaration, and of the declarations that
 * these refer to; and the names that lack a doc comment. The report has no paths of files, and sorts the members of unions, whose order
 * depends on what the compiler has checked before. It takes seconds of a processor, and so is a process beside that of the tests.
 */
import { dirname, join } from "node:path"
import { format } from "prettier"
import ts from "typescript"
import manifest from "../../package.json" with { type: "json" }

const root = join(import.meta.dirname, "../..")

/** The name of each public module by the path of its source. */
const modules = new Map(
  Object.entries(manifest.exports).flatMap(([subpath, target]) =>
    typeof target === "string"
      ? []
      : [[join(root, target.types.replace("./dist/", "src/").replace("d.ts", "ts")), `charlotte${subpath.slice(1)}`]]
  )
)

const isLocal = (specifier: string) => specifier.startsWith(".")
const imported = (specifier: string, importer: string) => join(dirname(importer), specifier.replace(/js$/, "ts"))

/** The declarations of the public modules and of all that they import, by the path of the source. */
const declarationsOf = (program: ts.Program): ReadonlyMap<string, string> => {
  const texts = new Map<string, string>()
  const emit = (module: string) => {
    if (texts.has(module)) return
    const write: ts.WriteFileCallback = (_, text) => {
      texts.set(module, text)
      for (const [, specifier = ""] of text.matchAll(/\b(?:from |import\()"(\.[^"]+)"/g))
        emit(imported(specifier, module))
    }
    program.emit(program.getSourceFile(module), write, undefined, true)
  }
  for (const module of modules.keys()) emit(module)
  return texts
}

/** A program of these declarations alone, to which everything from other packages is unknown. */
const programOf = (texts: ReadonlyMap<string, string>): ts.Program => {
  const options = { noLib: true, types: [] }
  return ts.createProgram([...texts.keys()], options, {
    ...ts.createCompilerHost(options),
    getSourceFile: (name) => {
      const text = texts.get(name)
      return text === undefined ? undefined : ts.createSourceFile(name, text, ts.ScriptTarget.ESNext, true)
    },
    resolveModuleNameLiterals: (specifiers, importer) =>
      specifiers.map(({ text }) => ({
        resolvedModule: isLocal(text)
          ? { resolvedFileName: imported(text, importer), extension: ts.Extension.Ts }
          : undefined
      }))
  })
}

const { options } = ts.parseJsonConfigFileContent(
  { extends: "./tsconfig.build.json", compilerOptions: { noCheck: true, emitDeclarationOnly: true } },
  ts.sys,
  root
)
const program = programOf(declarationsOf(ts.createProgram([...modules.keys()], options)))
const checker = program.getTypeChecker()

/** The statement of a declaration at the top of a module. */
const statementOf = (declaration: ts.Declaration): ts.Statement | undefined => {
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
  return ts.isStatement(node) && ts.isSourceFile(node.parent) ? node : undefined
}

const targetOf = (symbol: ts.Symbol) =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol

const statementsAt = (node: ts.Node): ReadonlyArray<ts.Statement> => {
  const symbol = checker.getSymbolAtLocation(node)
  return symbol === undefined ? [] : statementsOf(targetOf(symbol))
}

const statementsOf = ({ declarations = [] }: ts.Symbol) => [
  ...new Set(declarations.flatMap((declaration) => statementOf(declaration) ?? []))
]

const printer = ts.createPrinter({ removeComments: true })

/** The text of a statement without `export`, with sorted unions, and with names instead of imports. */
const textOf = (statement: ts.Statement): string => {
  const print = (node: ts.Node) => printer.printNode(ts.EmitHint.Unspecified, node, statement.getSourceFile())
  const sorted = <N extends ts.Node>(nodes: ReadonlyArray<N>): ReadonlyArray<N> =>
    nodes
      .map((node) => [print(node), node] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, node]) => node)
  const { transformed } = ts.transform(statement, [
    (context) => (root) => {
      const visit: ts.Visitor = (node) => {
        if (node.kind === ts.SyntaxKind.ExportKeyword) return undefined
        const inner = ts.visitEachChild(node, visit, context)
        if (ts.isUnionTypeNode(inner)) return ts.factory.createUnionTypeNode(sorted(inner.types))
        if (ts.isIntersectionTypeNode(inner)) return ts.factory.createIntersectionTypeNode(sorted(inner.types))
        if (ts.isTypeLiteralNode(inner)) return ts.factory.createTypeLiteralNode(sorted(inner.members))
        return ts.isImportTypeNode(inner) ? withoutPath(inner) : inner
      }
      return ts.visitEachChild(root, visit, context)
    }
  ])
  return transformed.map(print).join("\n")
}

const withoutPath = (node: ts.ImportTypeNode): ts.Node => {
  const { argument, isTypeOf, qualifier, typeArguments } = node
  const isOurs =
    ts.isLiteralTypeNode(argument) && ts.isStringLiteral(argument.literal) && isLocal(argument.literal.text)
  if (!isOurs || qualifier === undefined) return node
  return isTypeOf
    ? ts.factory.createTypeQueryNode(qualifier, typeArguments)
    : ts.factory.createTypeReferenceNode(qualifier, typeArguments)
}

/** What a class extends, if the compiler has given that a name. */
const baseOf = (statement: ts.Statement): ReadonlyArray<ts.Statement> =>
  ts.isClassDeclaration(statement)
    ? (statement.heritageClauses ?? [])
        .flatMap(({ types }) => types.map(({ expression }) => expression))
        .filter((expression) => ts.isIdentifier(expression) && expression.text === `${statement.name?.text}_base`)
        .flatMap(statementsAt)
    : []

const printed = new Set<ts.Statement>()
const referred = new Set<ts.Statement>()

const print = (statement: ts.Statement): ReadonlyArray<string> => {
  const refer = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) for (const found of statementsAt(node)) referred.add(found)
    ts.forEachChild(node, refer)
  }
  refer(statement)
  printed.add(statement)
  return [...baseOf(statement).flatMap(print), textOf(statement)]
}

/** What the doc comment of an export lacks. */
const lacking = (statement: ts.Statement): ReadonlyArray<string> => {
  const docs = ts.getJSDocCommentsAndTags(statement).filter(ts.isJSDoc)
  const tags = docs.flatMap(({ tags = [] }) => tags.map(({ tagName }) => tagName.text))
  if (tags.includes("internal")) return []
  return [
    ...(docs.some(({ comment }) => comment !== undefined) ? [] : ["a description"]),
    ...["since", "category"].filter((tag) => !tags.includes(tag)).map((tag) => `@${tag}`)
  ]
}

const undocumented: Array<string> = []

/** An export of a module, as a statement; a namespace that has no module of its own becomes one. */
const printExport = (module: string, symbol: ts.Symbol): ReadonlyArray<string> => {
  const { name } = symbol
  const target = targetOf(symbol)
  const [declaration] = target.declarations ?? []
  const file = declaration?.getSourceFile().fileName ?? module
  if (declaration !== undefined && ts.isSourceFile(declaration)) {
    if (!modules.has(file)) modules.set(file, `${modules.get(module)}.${name}`)
    return [`export * as ${name} from "${modules.get(file)}"`]
  }
  const specifier = target.name === name ? name : `${target.name} as ${name}`
  if (file !== module && modules.has(file)) return [`export { ${specifier} } from "${modules.get(file)}"`]
  const statements = statementsOf(target)
  for (const statement of statements) {
    const missing = lacking(statement)
    if (missing.length > 0) undocumented.push(`${modules.get(module)}: ${name} lacks ${missing.join(", ")}`)
  }
  return [...(target.name === name ? [] : [`export { ${specifier} }`]), ...statements.flatMap(print)]
}

const exportsOf = (module: string): ReadonlyArray<string> => {
  const source = program.getSourceFile(module)
  const symbol = source && checker.getSymbolAtLocation(source)
  const found = symbol === undefined ? [] : checker.getExportsOfModule(symbol)
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1)).flatMap((symbol) => printExport(module, symbol))
}

const section = async (name: string, statements: ReadonlyArray<string>) => {
  const text = await format(statements.join("\n"), {
    parser: "typescript",
    semi: false,
    printWidth: 120,
    trailingComma: "none"
  })
  return `## ${name}\n\n\`\`\`ts\n${text}\`\`\`\n`
}

const sections: Array<string> = []
for (const [module, name] of modules) sections.push(await section(name, exportsOf(module)))

const others: Array<string> = []
for (const statement of referred) if (!printed.has(statement)) others.push(print(statement).join("\n"))
sections.push(await section("Not exported", others.sort()))

process.stdout.write(JSON.stringify({ report: sections.join("\n"), undocumented }))
