/**
 * Decodes untrusted YAML with a schema. Each problem has its line. Unknown keys are problems, since one may be a misspelt check or
 * limit.
 */
import { Array, Either, ParseResult, Predicate, Schema, SchemaAST } from "effect"
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, type YAMLMap } from "yaml"
import * as plainText from "../internal/plainText.js"
import { Diagnostic } from "./Diagnostic.js"
import { suggestion } from "./didYouMean.js"
import * as Yaml from "./Yaml.js"

type Path = ReadonlyArray<PropertyKey>

export interface Decoded<A> {
  /** The value without invalid parts, so that the rest can be checked as well. */
  readonly value: A
  /** Whether a file that can be parsed has no value at this path, not even an invalid one. */
  readonly isMissing: (...path: Path) => boolean
  /** The line of the value at this path, or else of its parent; 1 if there is neither. */
  readonly line: (...path: Path) => number
  /** Adds a problem with the value at this path. */
  readonly report: (message: string, ...path: Path) => void
  /** The problems found so far. */
  readonly problems: ReadonlyArray<Diagnostic>
}

/** One syntax error can cause errors in every line after it. */
const maxMistakes = 5
/** Reported invalid values and unknown keys. */
const maxInvalid = 20
const maxKeyLength = 100

/**
 * Decodes a source that begins on line `firstLine` of the file. In the schema every key of a mapping must be optional; one without
 * a value counts as missing.
 */
export const decodeYaml = <A, I>(
  schema: Schema.Schema<A, I>,
  { file, firstLine = 1, source }: { readonly file: string; readonly source: string; readonly firstLine?: number }
): Decoded<A> => {
  const problems: Array<Diagnostic> = []
  const lines = new LineCounter()
  const end = source.trimEnd().length
  // An unclosed collection is reported at the end of the source.
  const lineAt = (offset: number) => lines.linePos(Math.min(offset, end)).line + firstLine - 1
  const add = (line: number, message: string): void => {
    problems.push(new Diagnostic({ file, line, message }))
  }

  const document = Either.match(Yaml.read(source, lines), {
    onLeft: (message) => {
      add(firstLine, message)
      return undefined
    },
    onRight: (document) => {
      const mistakes = Yaml.check(document)
      for (const { message, offset } of mistakes.slice(0, maxMistakes)) add(lineAt(offset), message)
      return mistakes.some(({ fatal }) => fatal) ? undefined : document
    }
  })

  const lineOf = (node: unknown) => (isNode(node) && node.range ? lineAt(node.range[0]) : undefined)
  const line = (...path: Path): number =>
    lineOf(nodeAt(document, path)) ?? (path.length > 1 ? line(...path.slice(0, -1)) : 1)
  const report = (message: string, ...path: Path): void => add(line(...path), message)

  const reportIssue = ({ _tag, message, path }: ParseResult.ArrayFormatterIssue) => {
    const names = path.filter(Predicate.isString)
    if (_tag !== "Unexpected") return report(`${names.join(".")} ${message}`, ...path)
    const parents = names.slice(0, -1)
    const [parent, key = ""] = [nodeAt(document, parents), names.at(-1)]
    const where = parents.length === 0 ? "" : ` in ${parents.join(".")}`
    const hint = suggestion(key, keysAt(SchemaAST.encodedAST(schema.ast), parents))
    const lineOfKey = isMap(parent) ? lineOf(pairOf(parent, key)?.key) : undefined
    add(lineOfKey ?? line(...path), `has the unknown key "${shorten(plainText.line(key))}"${where}${hint}`)
  }

  const values: unknown = toJS(document)
  const decode = Schema.decodeUnknownEither(schema, { errors: "all", onExcessProperty: "error" })
  const value = Either.getOrElse(decode(values), (error) => {
    const issues = ParseResult.ArrayFormatter.formatErrorSync(error)
    issues.slice(0, maxInvalid).forEach(reportIssue)
    for (const { path } of issues) remove(values, Array.takeWhile(path, Predicate.isString))
    return Either.getOrThrow(decode(values))
  })

  const isMissing = (...path: Path) => {
    const node = nodeAt(document, path)
    return document !== undefined && (node === undefined || (isScalar(node) && node.value === null))
  }
  return { value, isMissing, line, report, problems }
}

/** The values of a document, without empty ones. */
const toJS = (document: Document | undefined): unknown =>
  document?.toJS({ maxAliasCount: 0, reviver: (_, value: unknown) => value ?? undefined }) ?? {}

const pairOf = ({ items }: YAMLMap, name: PropertyKey) =>
  items.find(({ key }) => String(isScalar(key) ? key.value : key) === name)

const nodeAt = (document: Document | undefined, path: Path): unknown => {
  let node: unknown = document?.contents ?? undefined
  for (const step of path) {
    if (isMap(node)) node = pairOf(node, step)?.value
    else node = isSeq(node) && Predicate.isNumber(step) ? node.items[step] : undefined
  }
  return node
}

/** The keys of the mapping at a path. */
const keysAt = (ast: SchemaAST.AST, [step, ...rest]: Path): ReadonlyArray<string> => {
  if (!SchemaAST.isTypeLiteral(ast)) return []
  if (step === undefined) return ast.propertySignatures.map(({ name }) => String(name))
  const { type } = ast.propertySignatures.find(({ name }) => name === step) ?? ast.indexSignatures[0] ?? {}
  return type === undefined ? [] : keysAt(type, rest)
}

const remove = (value: unknown, [step, ...rest]: Path): void => {
  if (!Predicate.isRecord(value) || step === undefined) return
  if (rest.length === 0) Reflect.deleteProperty(value, step)
  else remove(Reflect.get(value, step), rest)
}

const shorten = (key: string): string => (key.length > maxKeyLength ? `${key.slice(0, maxKeyLength)}…` : key)
