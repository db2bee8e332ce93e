/**
 * Untrusted YAML, read key by key: each problem has its line, and limits keep a hostile file from exhausting the parser.
 */
import { Either, ParseResult, Predicate, Schema } from "effect"
import { CST, type Document, isAlias, isMap, isNode, isScalar, Lexer, LineCounter, parseDocument, visit } from "yaml"
import { Diagnostic } from "./Diagnostic.js"

export interface Yaml {
  /** The value of a key. `fallback` if it is invalid, which is reported, or missing, which is reported with the text `missing`. */
  readonly get: <A, I, const B>(key: string, schema: Schema.Schema<A, I>, fallback: B, missing?: string) => A | B
  readonly keys: ReadonlyArray<string>
  /** The line of the value at this path in the file; 1 if there is none. */
  readonly line: (...path: ReadonlyArray<PropertyKey>) => number
  /** The problems found so far. */
  readonly problems: ReadonlyArray<Diagnostic>
}

/** In characters: ample for frontmatter or a configuration file, and parsed in milliseconds. */
const maxLength = 16 * 1024
/** The parser is recursive, and deep nesting overflows the stack of the whole process. */
const maxDepth = 32
/** One syntax error can cause errors in every line after it. */
const maxMistakes = 5
/** Reported problems per key. */
const maxWrong = 20

/** Parses a source that begins on line `firstLine` of the file. */
export const parse = (file: string, source: string, firstLine = 1): Yaml => {
  const problems: Array<Diagnostic> = []
  const lines = new LineCounter()
  const end = source.trimEnd().length
  // An unclosed collection is reported at the end of the source.
  const lineAt = (offset: number) => lines.linePos(Math.min(offset, end)).line + firstLine - 1
  const report = (line: number, message: string) => problems.push(new Diagnostic({ file, line, message }))

  const document = Either.match(read(source, lines), {
    onLeft: (message) => {
      report(firstLine, message)
      return undefined
    },
    onRight: (document) => {
      const mistakes = check(document)
      for (const { message, offset } of mistakes.slice(0, maxMistakes)) report(lineAt(offset), message)
      return mistakes.some(({ fatal }) => fatal) ? undefined : document
    }
  })

  const nodeAt = (path: ReadonlyArray<PropertyKey>) => {
    const node = document?.contents ? document.getIn(path, true) : undefined
    return isNode(node) ? node : undefined
  }

  const line = (...path: ReadonlyArray<PropertyKey>): number => {
    const range = nodeAt(path)?.range
    return range ? lineAt(range[0]) : path.length > 1 ? line(...path.slice(0, -1)) : 1
  }

  return {
    problems,
    keys: isMap(document?.contents)
      ? document.contents.items.map(({ key }) => String(isScalar(key) ? key.value : key))
      : [],
    line,
    get: (key, schema, fallback, missing) => {
      if (document === undefined) return fallback
      const value = nodeAt([key])?.toJS(document, { maxAliasCount: 0 }) ?? undefined
      if (value === undefined) {
        if (missing !== undefined) report(line(key), missing)
        return fallback
      }
      return Either.getOrElse(
        Schema.decodeUnknownEither(schema, { errors: "all", onExcessProperty: "error" })(value),
        (error) => {
          for (const { message, path } of ParseResult.ArrayFormatter.formatErrorSync(error).slice(0, maxWrong)) {
            report(line(key, ...path), `${[key, ...path].filter(Predicate.isString).join(".")} ${message}`)
          }
          return fallback
        }
      )
    }
  }
}

/** Parses a document with the core schema, which has no custom tags; fails with the problem. */
export const read = (source: string, lines = new LineCounter()): Either.Either<Document, string> => {
  if (source.length > maxLength) return Either.left(`has more than ${maxLength / 1024} KiB of YAML here: shorten it`)
  if (isTooDeep(source)) return Either.left(`nests YAML more than ${maxDepth} levels deep here: flatten it`)
  return Either.try({
    try: (): Document =>
      parseDocument(source, { schema: "core", prettyErrors: false, logLevel: "error", lineCounter: lines }),
    catch: (cause) => `has YAML here that cannot be parsed: ${String(cause)}`
  })
}

/** Estimates the nesting depth from the tokens that open a level: brackets, and indicators, of which one line can have several. */
const isTooDeep = (source: string): boolean => {
  let brackets = 0
  let marks = 0
  for (const token of new Lexer().lex(source)) {
    switch (CST.tokenType(token)) {
      case "flow-map-start":
      case "flow-seq-start":
        brackets += 1
        break
      case "flow-map-end":
      case "flow-seq-end":
        brackets -= 1
        break
      case "seq-item-ind":
      case "explicit-key-ind":
        marks += 1
        break
      case "map-value-ind":
        // In a flow collection it opens no level, and a line may have many.
        if (brackets <= 0) marks += 1
        break
      case "newline":
        marks = 0
        break
      default:
    }
    if (brackets + marks > maxDepth) return true
  }
  return false
}

export interface Mistake {
  readonly offset: number
  readonly message: string
  /** Whether the values of the document are unusable. */
  readonly fatal: boolean
}

/** Validates a document; check for fatal mistakes before using its values. */
export const check = (document: Document): ReadonlyArray<Mistake> => {
  const mistakes: Array<Mistake> = document.errors.map(({ code, message, pos: [offset] }) =>
    code === "DUPLICATE_KEY"
      ? { offset, message: "has this key twice: keep one of them", fatal: false }
      : code === "BLOCK_AS_IMPLICIT_KEY"
        ? { offset, message: 'has a value with ": " in it: put quotes around the value', fatal: true }
        : { offset, message: `is not valid YAML here: ${message}`, fatal: true }
  )
  for (const { message, pos } of document.warnings) {
    mistakes.push({ offset: pos[0], message: `has unsupported YAML here: ${message}`, fatal: false })
  }
  if (document.contents !== null && !isMap(document.contents)) {
    mistakes.push({ offset: 0, message: "has YAML here that is not a mapping of keys to values", fatal: true })
  }
  visit(document, {
    Node: (_, node) => {
      if (isAlias(node) || node.anchor !== undefined) {
        const name = isAlias(node) ? `*${node.source}` : `&${node.anchor}`
        const message = `has the YAML alias or anchor ${name} here: write the value out, or put quotes around it`
        mistakes.push({ offset: node.range?.[0] ?? 0, message, fatal: true })
      }
    }
  })
  return mistakes
}
