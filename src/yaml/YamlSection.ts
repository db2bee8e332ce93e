/**
 * A part of a YAML file that has keys of its own. A key that nobody knows is refused, since it may be a check or a limit
 * with a slip in its name.
 */
import { Either, ParseResult, Predicate, Schema } from "effect"
import { Diagnostic } from "./Diagnostic.js"
import { suggestion } from "./didYouMean.js"
import type { Yaml } from "./Yaml.js"

export interface YamlSection {
  readonly has: (key: string) => boolean
  /** The value of a key; none if it is missing, or wrong, which is a problem. */
  readonly get: <A, I>(key: string, schema: Schema.Schema<A, I>) => A | undefined
  /** Something is wrong with the value of a key, or with the whole. */
  readonly report: (message: string, ...path: ReadonlyArray<PropertyKey>) => void
  /** What has been found up to now. */
  readonly problems: ReadonlyArray<Diagnostic>
}

/** The keys of a file itself. */
export const top = (file: string, yaml: Yaml, known: ReadonlyArray<string>): ReadonlyArray<Diagnostic> =>
  unknown(yaml.keys, known, "").map(([key, message]) => new Diagnostic({ file, line: yaml.line(key), message }))

/** The keys at a path in the file, whose value is this. */
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
    // A key without a value is as good as none.
    for (const [key, item] of Object.entries(value)) if (item !== null) values.set(key, item)
    for (const [key, message] of unknown(Object.keys(value), known, ` in ${name}`)) report(message, key)
  } else if (value !== undefined && value !== null) {
    report(`${name} must be a list of keys and values, of these: ${known.join(", ")}`)
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
