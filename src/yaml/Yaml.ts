/**
 * YAML that people write and that is not trusted: read key by key, each problem with its line, and with limits on
 * whatever a hostile file could use to exhaust the parser.
 */
import { Either, ParseResult, Predicate, Schema } from "effect"
import { CST, type Document, isAlias, isMap, isNode, isScalar, Lexer, LineCounter, parseDocument, visit } from "yaml"
import { Diagnostic } from "./Diagnostic.js"

export interface Yaml {
  /** The value of a key; `fallback` if it is wrong, which is a problem, or missing, which is one if `missing` says so. */
  readonly get: <A, I, const B>(key: string, schema: Schema.Schema<A, I>, fallback: B, missing?: string) => A | B
  readonly keys: ReadonlyArray<string>
  /** The line of the file on which the value at this path stands; 1 when there is none. */
  readonly line: (...path: ReadonlyArray<PropertyKey>) => number
  /** What has been found up to now. */
  readonly problems: ReadonlyArray<Diagnostic>
}

/** More than enough for a page of keys, and little enough to parse in a moment. */
const maxLength = 16 * 1024
/** The parser is recursive, and a document that is deep enough ends the whole process, not just the parse. */
const maxDepth = 32
/** One slip of the pen can make an error of every line after it. */
const maxMistakes = 5
/** Of one key; enough to see what is wrong. */
const maxWrong = 20

/** Reads keys and values of a source that begins on line `firstLine` of the file. */
export const parse = (file: string, source: string, firstLine = 1): Yaml => {
  const problems: Array<Diagnostic> = []
  const lines = new LineCounter()
  const end = source.trimEnd().length
  // What is never closed is found missing behind the end.
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

/** A document of the core schema, in which nothing executes; or why there is none. */
export const read = (source: string, lines = new LineCounter()): Either.Either<Document, string> => {
  if (source.length > maxLength) return Either.left(`has more than ${maxLength / 1024} KiB of YAML here: shorten it`)
  if (isTooDeep(source)) return Either.left(`nests YAML more than ${maxDepth} levels deep here: flatten it`)
  return Either.try({
    try: (): Document =>
      parseDocument(source, { schema: "core", prettyErrors: false, logLevel: "error", lineCounter: lines }),
    catch: (cause) => `has YAML here that cannot be read: ${String(cause)}`
  })
}

/** Counts what opens a level: brackets, and the marks that open several in one line. */
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
        // In brackets it opens nothing, and many may stand in a line.
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
  /** The values cannot be relied on. */
  readonly fatal: boolean
}

/** What is wrong with a document; values of one with mistakes are not to be asked for before they are looked at. */
export const check = (document: Document): ReadonlyArray<Mistake> => {
  const mistakes: Array<Mistake> = document.errors.map(({ code, message, pos: [offset] }) =>
    code === "DUPLICATE_KEY"
      ? { offset, message: "has this key twice: keep one of them", fatal: false }
      : code === "BLOCK_AS_IMPLICIT_KEY"
        ? { offset, message: 'has a value with ": " in it: put quotes around the value', fatal: true }
        : { offset, message: `is not valid YAML here: ${message}`, fatal: true }
  )
  for (const { message, pos } of document.warnings) {
    mistakes.push({ offset: pos[0], message: `has YAML here that is not understood: ${message}`, fatal: false })
  }
  if (document.contents !== null && !isMap(document.contents)) {
    mistakes.push({ offset: 0, message: "has YAML here that is not a list of keys and values", fatal: true })
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
