/**
 * Changes of a kind between two versions: what the old version has recorded, and the definition of the new one. Each is a kind of its own.
 */
export interface Change {
  readonly config?: unknown
  readonly signal?: readonly [name: string, payload: unknown]
  readonly parksFor?: string
  readonly event?: readonly [type: string, payload: unknown]
  readonly result?: unknown
  readonly error?: unknown
  /** Fields of the new definition, as source; `S` is `Schema`. */
  readonly next: string
}

const config = (config: unknown, schema: string): Change => ({ config, next: `config: ${schema}` })

const to = "config: S.Struct({ to: S.String })"

/** Changes with which a live job does not continue. */
export const breaking: { readonly [name: string]: Change } = {
  "required-field": config({ to: "a" }, "S.Struct({ to: S.String, template: S.String })"),
  "renamed-field": config({ to: "a" }, "S.Struct({ recipient: S.String })"),
  "another-type": config({ to: "1" }, "S.Struct({ to: S.Number })"),
  "type-of-a-present-option": config({ n: "1" }, "S.Struct({ n: S.optional(S.Number) })"),
  "optional-made-required": config({}, "S.Struct({ n: S.Number })"),
  "no-longer-null": config({ n: null }, "S.Struct({ n: S.Number })"),
  "literal-removed": config({ size: "xl" }, 'S.Struct({ size: S.Literal("s", "m") })'),
  "member-of-union-removed": config({ to: 1 }, "S.Struct({ to: S.Union(S.String, S.Boolean) })"),
  "tag-renamed": config({ _tag: "Mail" }, 'S.TaggedStruct("Email", {})'),
  "array-to-one": config({ to: ["a"] }, "S.Struct({ to: S.String })"),
  "one-to-array": config({ to: "a" }, "S.Struct({ to: S.Array(S.String) })"),
  "more-items": config({ to: ["a"] }, "S.Struct({ to: S.Array(S.String).pipe(S.minItems(2)) })"),
  "longer-tuple": config({ at: [1] }, "S.Struct({ at: S.Tuple(S.Number, S.Number) })"),
  "nested-required": config({ a: { b: {} } }, "S.Struct({ a: S.Struct({ b: S.Struct({ c: S.String }) }) })"),
  "in-an-array": config({ a: [{}] }, "S.Struct({ a: S.Array(S.Struct({ c: S.String })) })"),
  "value-of-record": config({ a: { b: "c" } }, "S.Struct({ a: S.Record({ key: S.String, value: S.Number }) })"),
  "min-length": config({ to: "a" }, "S.Struct({ to: S.String.pipe(S.minLength(2)) })"),
  "max-length": config({ to: "abc" }, "S.Struct({ to: S.String.pipe(S.maxLength(2)) })"),
  pattern: config({ to: "abc" }, "S.Struct({ to: S.String.pipe(S.pattern(/^\\d+$/)) })"),
  uuid: config({ to: "abc" }, "S.Struct({ to: S.UUID })"),
  whole: config({ n: 1.5 }, "S.Struct({ n: S.Int })"),
  positive: config({ n: -1 }, "S.Struct({ n: S.Positive })"),
  between: config({ n: 11 }, "S.Struct({ n: S.Number.pipe(S.between(1, 10)) })"),
  "to-a-date": config({ at: "soon" }, "S.Struct({ at: S.Date })"),
  "key-throws": { config: {}, next: 'config: S.Struct({}), starts: { key: () => { throw new Error("no key") } }' },
  "labels-throw": { config: { to: 1 }, next: "config: S.Any, starts: { labels: ({ to }) => ({ to: to.trim() }) }" },
  "payload-of-signal": { signal: ["go", { a: 1 }], next: `${to}, signals: { go: S.Struct({ a: S.String }) }` },
  "signal-removed": { parksFor: "go", next: `${to}, signals: { other: S.String }` },
  "payload-of-event": { event: ["sent", { a: 1 }], next: `${to}, events: { sent: S.Struct({ a: S.String }) }` },
  "event-removed": { event: ["sent", { a: 1 }], next: `${to}, events: { other: S.String }` }
}

/** Changes with which every job continues. */
export const additive: { readonly [name: string]: Change } = {
  same: config({ to: "a" }, "S.Struct({ to: S.String })"),
  "optional-field": config({ to: "a" }, "S.Struct({ to: S.String, template: S.optional(S.String) })"),
  "field-with-default": config({}, 'S.Struct({ to: S.optionalWith(S.String, { default: () => "b" }) })'),
  "optional-as-option": config({}, 'S.Struct({ to: S.optionalWith(S.String, { as: "Option" }) })'),
  "field-removed": config({ to: "a", b: 1 }, "S.Struct({ to: S.String })"),
  "required-made-optional": config({ to: "a" }, "S.Struct({ to: S.optional(S.String) })"),
  "may-be-null": config({ to: "a" }, "S.Struct({ to: S.NullOr(S.String) })"),
  "literal-added": config({ size: "s" }, 'S.Struct({ size: S.Literal("s", "m", "l") })'),
  "literal-to-string": config({ size: "s" }, "S.Struct({ size: S.String })"),
  "member-added": config({ to: "a" }, "S.Struct({ to: S.Union(S.String, S.Number) })"),
  unknown: config({ to: "a" }, "S.Struct({ to: S.Unknown })"),
  "fewer-items": config({ to: ["a"] }, "S.Struct({ to: S.Array(S.String).pipe(S.minItems(1)) })"),
  "shorter-length": config({ to: "ab" }, "S.Struct({ to: S.String.pipe(S.minLength(1)) })"),
  "int-to-number": config({ n: 1 }, "S.Struct({ n: S.Number })"),
  "optional-element": config({ at: [1] }, "S.Struct({ at: S.Tuple(S.Number, S.optionalElement(S.Number)) })"),
  "nested-optional": config({ a: {} }, "S.Struct({ a: S.Struct({ b: S.optional(S.String) }) })"),
  "record-widened": config({ a: { b: 1 } }, "S.Struct({ a: S.Record({ key: S.String, value: S.Unknown }) })"),
  described: config({ to: "a" }, 'S.Struct({ to: S.String.annotations({ description: "new" }) })'),
  "as-a-date": config({ at: "2026-01-01T00:00:00.000Z" }, "S.Struct({ at: S.Date })"),
  "as-a-number": config({ n: "1" }, "S.Struct({ n: S.NumberFromString })"),
  "as-a-class": config({ to: "a" }, '(class Config extends S.Class("Config")({ to: S.String }) {})'),
  "decoded-later": config(
    { to: "a" },
    "S.transformOrFail(S.Struct({ to: S.String }), S.Unknown, { decode: (a) => Effect.delay(Effect.succeed(a), 1), encode: () => Effect.succeed({ to: 'a' }) })"
  ),
  "key-added": { config: { to: "a" }, next: `${to}, starts: { key: ({ to }) => to }` },
  "labels-added": { config: { to: "a" }, next: `${to}, starts: { labels: ({ to }) => ({ to }) }` },
  "group-added": { config: { to: "a" }, next: `${to}, starts: { group: ({ to }) => to }` },
  "signal-added": { signal: ["go", 1], next: `${to}, signals: { go: S.Number, stop: S.String }` },
  "signal-widened": { signal: ["go", 1], parksFor: "go", next: `${to}, signals: { go: S.Union(S.Number, S.String) }` },
  "signal-without-payload": { signal: ["go", undefined], next: `${to}, signals: { go: S.Void }` },
  "event-added": { event: ["sent", 1], next: `${to}, events: { sent: S.Number, read: S.Number }` },
  "event-widened": { event: ["sent", { a: 1 }], next: `${to}, events: { sent: S.Struct({ a: S.Unknown }) }` }
}

/** Changes that jobs feel only once they have ended. */
export const ended: { readonly [name: string]: Change } = {
  "result-changed": { result: { id: 1 }, next: `${to}, success: S.Struct({ id: S.String })` },
  "error-changed": { error: { code: 1 }, next: `${to}, error: S.Struct({ code: S.String })` }
}

/** A module with the new definitions. */
export const moduleOf = (changes: { readonly [name: string]: Change }): string =>
  `import { Effect, Schema as S } from "effect"
const base = { success: S.Unknown, error: S.Unknown, starts: {} }
export const notAKind = { kind: 1 }
${Object.entries(changes)
  .map(([name, { next }], i) => `export const Kind${i} = { ...base, kind: "${name}", ${next} }`)
  .join("\n")}
`
