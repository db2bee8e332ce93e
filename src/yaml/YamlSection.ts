/**
 * A section of a YAML file, with keys of its own. Unknown keys are rejected, since one may be a misspelt check or limit.
 */
import { Either, ParseResult, Predicate, Schema } from "effect"
import { Diagnostic } from "./Diagnostic.js"
import { suggestion } from "./didYouMean.js"
import type { Yaml } from "./Yaml.js"

export interface YamlSection {
  readonly has: (key: string) => boolean
  /** The value of a key; `undefined` if it is missing, or invalid, which is reported. */
  readonly get: <A, I>(key: string, schema: Schema.Schema<A, I>) => A | undefined
  /** Reports a problem at a path below the section, or with the section as a whole. */
  readonly report: (message: string, ...path: ReadonlyArray<PropertyKey>) => void
  /** The problems found so far. */
  readonly problems: ReadonlyArray<Diagnostic>
}

/** Checks the top-level keys of a file. */
export const top = (file: string, yaml: Yaml, known: ReadonlyArray<string>): ReadonlyArray<Diagnostic> =>
  unknown(yaml.keys, known, "").map(([key, message]) => new Diagnostic({ file, line: yaml.line(key), message }))

/** Reads the section at a path of the file; `value` is the value there. */
export const read = (
  file: string,
  yaml: Yaml,
  path: ReadonlyArray<string>,
  value: unknown,
  known: ReadonlyArray<string>
): YamlSection => {
  const problems: Array<Diagnostic> = []
  const name = path.join(".")
  const report: YamlSection["report"] = (message, ...below) =>
    problems.push(new Diagnostic({ file, line: yaml.line(...path, ...below), message }))

  const values = new Map<string, unknown>()
  if (Predicate.isReadonlyRecord(value)) {
    // A key without a value counts as missing.
    for (const [key, item] of Object.entries(value)) if (item !== null) values.set(key, item)
    for (const [key, message] of unknown(Object.keys(value), known, ` in ${name}`)) report(message, key)
  } else if (value !== undefined && value !== null) {
    report(`${name} must be a mapping with these keys: ${known.join(", ")}`)
  }

  return {
    problems,
    report,
    has: (key) => values.has(key),
    get: (key, schema) =>
      values.has(key)
        ? Either.getOrElse(Schema.decodeUnknownEither(schema, { errors: "all" })(values.get(key)), (error) => {
            for (const issue of ParseResult.ArrayFormatter.formatErrorSync(error)) {
              report(`${name}.${key} ${issue.message}`, key, ...issue.path)
            }
            return undefined
          })
        : undefined
  }
}

const unknown = (keys: ReadonlyArray<string>, known: ReadonlyArray<string>, where: string) =>
  keys
    .filter((key) => !known.includes(key))
    .map((key) => [key, `has the unknown key "${key}"${where}${suggestion(key, known)}`] as const)
