/**
 * Sets one key of a file's frontmatter and preserves every other byte: comments, order, line endings and unknown keys.
 */
import { Either, Option } from "effect"
import { type Document, isCollection, isScalar } from "yaml"
import * as Frontmatter from "./Frontmatter.js"
import * as Yaml from "../../yaml/Yaml.js"

/**
 * The text with the key set to the value, and added if it is missing; none if the frontmatter cannot be edited safely. The value
 * must be a plain word.
 */
export const set = (text: string, key: string, value: string): Option.Option<string> =>
  Option.gen(function* () {
    const { closing, opening, yaml } = yield* Either.getRight(Frontmatter.split(text))
    const before = yield* read(yaml)
    const changed = before.has(key)
      ? yield* replace(yaml, before, key, value)
      : add(yaml, before, `${key}: ${value}`, opening.endsWith("\r\n") ? "\r\n" : "\n")
    // Verify the edit, since YAML has more syntax for values than `replace` handles.
    const after = yield* read(changed)
    return after.get(key) === value && rest(before, key) === rest(after, key)
      ? opening + changed + closing
      : yield* Option.none()
  })

const read = (yaml: string): Option.Option<Document> =>
  Option.filter(Either.getRight(Yaml.read(yaml)), (document) => Yaml.check(document).length === 0)

/** The document without the key, for comparison. */
const rest = (document: Document, key: string): string => {
  if (document.contents === null) return "{}"
  document.delete(key)
  return JSON.stringify(document)
}

const replace = (yaml: string, document: Document, key: string, value: string): Option.Option<string> => {
  const node = document.get(key, true)
  if (!isScalar(node) || !node.range || node.type?.startsWith("BLOCK")) return Option.none()
  const [start, end] = node.range
  // The range of an empty value is adjacent to its colon, or to a comment.
  const left = /\s$/.test(yaml.slice(0, start)) ? "" : " "
  const right = yaml[end] === "#" ? " " : ""
  return Option.some(yaml.slice(0, start) + left + value + right + yaml.slice(end))
}

const add = (yaml: string, { contents }: Document, entry: string, lineEnding: string): string => {
  if (!isCollection(contents) || !contents.range) return yaml + entry + lineEnding
  const start = contents.range[0]
  if (contents.flow) return `${yaml.slice(0, start + 1)}${entry}, ${yaml.slice(start + 1)}`
  const indent = yaml.slice(yaml.lastIndexOf("\n", start - 1) + 1, start)
  return yaml + indent + entry + lineEnding
}
