/**
 * Puts keys of a JSON file back to an earlier value, as text, so that the rest of the file stays as it is.
 */
import { Option, Predicate } from "effect"
import { isDeepStrictEqual } from "node:util"
import { isMap, isNode, isScalar, type Pair, parseDocument, type YAMLMap } from "yaml"

/** The names from the top of the file to a value, such as `["scripts", "test"]`. */
export type Key = ReadonlyArray<string>

/**
 * The text with the value that a key has in `start`, or without the key if it has none there; none if either text is no JSON, or has no
 * place for the key.
 */
export const putBack = (start: string, text: string, key: Key): Option.Option<string> => {
  const [was, is] = [parse(start), parse(text)]
  if (Option.isNone(was) || Option.isNone(is)) return Option.none()
  if (isSame(was.value, is.value, key)) return Option.some(text)
  const isPutBack = (spliced: string) => Option.exists(parse(spliced), (value) => isSame(was.value, value, key))
  return Option.filter(splice(start, text, key), isPutBack)
}

const parse = Option.liftThrowable((text: string): unknown => JSON.parse(text))

/** The value of a key, in a list; an empty list if there is none. */
const valueAt = (value: unknown, key: Key): ReadonlyArray<unknown> => {
  const [name, ...rest] = key
  if (name === undefined) return [value]
  return Predicate.isRecord(value) && Object.hasOwn(value, name) ? valueAt(value[name], rest) : []
}

const isSame = (a: unknown, b: unknown, key: Key): boolean => isDeepStrictEqual(valueAt(a, key), valueAt(b, key))

/** The object at a key. JSON is YAML but for white space that it allows; the positions are right all the same. */
const objectAt = (text: string, key: Key): YAMLMap | undefined => {
  let node: unknown = parseDocument(text, { uniqueKeys: false, logLevel: "silent" }).contents
  for (const name of key) node = isMap(node) ? pairAt(node, name)?.value : undefined
  return isMap(node) ? node : undefined
}

/** Of a repeated key, the last one counts. */
const pairAt = ({ items }: YAMLMap, name: string): Pair | undefined =>
  items.findLast(({ key }) => isScalar(key) && key.value === name)

/** Where a node begins and ends in its text. */
const span = (node: unknown): readonly [from: number, to: number] => {
  const [from = 0, to = 0] = isNode(node) ? (node.range ?? []) : []
  return [from, to]
}

/** Where a key and its value begin and end. */
const spanOf = ({ key, value }: Pair): readonly [from: number, to: number] => [span(key)[0], span(value)[1]]

const replace = (text: string, [from, to]: readonly [number, number], by: string): string =>
  text.slice(0, from) + by + text.slice(to)

const splice = (start: string, text: string, key: Key): Option.Option<string> => {
  const [parent, name] = [key.slice(0, -1), key.at(-1)]
  if (name === undefined) return Option.none()
  const [from, to] = [objectAt(start, parent), objectAt(text, parent)]
  // What contained the key is gone, so it is put back as well.
  if (to === undefined) return splice(start, text, parent)
  const [was, is] = [from && pairAt(from, name), pairAt(to, name)]
  if (was === undefined) return Option.map(Option.fromNullable(is), (pair) => without(text, to, pair))
  if (is !== undefined) return Option.some(replace(text, span(is.value), start.slice(...span(was.value))))
  const before = from?.items[from.items.indexOf(was) - 1]
  return Option.some(withPair(text, to, { pair: start.slice(...spanOf(was)), after: nameOf(before) }))
}

const nameOf = (pair: Pair | undefined): string | undefined =>
  isScalar(pair?.key) && Predicate.isString(pair.key.value) ? pair.key.value : undefined

/** Adds a key after another one, or as the first one. */
const withPair = (
  text: string,
  object: YAMLMap,
  { after, pair }: { readonly pair: string; readonly after: string | undefined }
): string => {
  const [open] = span(object)
  const sibling = after === undefined ? undefined : pairAt(object, after)
  const next = sibling ?? object.items[0]
  if (next === undefined) return replace(text, [open + 1, open + 1], pair)
  const [begin, end] = spanOf(next)
  const [space = ""] = /\s*$/.exec(text.slice(0, begin)) ?? []
  return sibling === undefined
    ? replace(text, [begin, begin], `${pair},${space}`)
    : replace(text, [end, end], `,${space}${pair}`)
}

/** Removes a key with its comma. */
const without = (text: string, { items }: YAMLMap, pair: Pair): string => {
  const at = items.indexOf(pair)
  const [begin, end] = spanOf(pair)
  const [before, next] = [items[at - 1], items[at + 1]]
  if (next !== undefined) return replace(text, [begin, spanOf(next)[0]], "")
  return replace(text, [before === undefined ? begin : spanOf(before)[1], end], "")
}
