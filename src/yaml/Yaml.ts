/**
 * Parses untrusted YAML. Limits keep a hostile file from exhausting the parser.
 */
import { Either } from "effect"
import { CST, type Document, isAlias, isMap, Lexer, LineCounter, parseDocument, visit } from "yaml"

/** In characters: ample for frontmatter or a configuration file, and parsed in milliseconds. */
const maxLength = 16 * 1024
/** The parser is recursive, and deep nesting overflows the stack of the whole process. */
const maxDepth = 32
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
        // A colon in a flow collection opens no level, and a line may have many.
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
