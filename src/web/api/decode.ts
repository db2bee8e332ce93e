/**
 * Decoders of responses. They are written by hand, because Effect's Schema alone would take a third of the page's 150 KB; the
 * tests check them against the schemas of the contract.
 */

/** A response that does not match the contract. */
export class DecodeError extends Error {
  override readonly name = "DecodeError"
  constructor(path: string, expected: string, actual: unknown) {
    super(
      `${path === "" ? "the response" : path} is ${JSON.stringify(actual) ?? "missing"}: expected ${expected}. Load the page again: the server may have another version.`
    )
  }
}

export type Decoder<A> = (value: unknown, path: string) => A

export type Decoded<D> = D extends Decoder<infer A> ? A : never

const primitive =
  <A>(expected: string, is: (value: unknown) => value is A): Decoder<A> =>
  (value, path) => {
    if (!is(value)) throw new DecodeError(path, expected, value)
    return value
  }

export const isRecord = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const string = primitive("a text", (value) => typeof value === "string")
export const number = primitive("a number", (value) => typeof value === "number")
export const boolean = primitive("true or false", (value) => typeof value === "boolean")
export const unknown: Decoder<unknown> = (value) => value

const toTime = (value: unknown): number => (typeof value === "string" ? Date.parse(value) : Number.NaN)

/** A time in ISO 8601, as milliseconds. */
export const time: Decoder<number> = (value, path) => {
  const time = toTime(value)
  if (Number.isNaN(time)) throw new DecodeError(path, "a time", value)
  return time
}

const isKey = <A extends string>(values: { readonly [Value in A]: unknown }, value: unknown): value is A =>
  typeof value === "string" && Object.hasOwn(values, value)

/** Decodes a key of a record, so that the compiler reports a missing literal of the domain. */
export const oneOf = <A extends string>(values: { readonly [Value in A]: unknown }): Decoder<A> =>
  primitive(`one of ${Object.keys(values).join(", ")}`, (value): value is A => isKey(values, value))

/** `null` counts as missing. */
export const optional =
  <A>(decoder: Decoder<A>): Decoder<A | undefined> =>
  (value, path) =>
    value === undefined || value === null ? undefined : decoder(value, path)

export const array =
  <A>(decoder: Decoder<A>): Decoder<ReadonlyArray<A>> =>
  (value, path) => {
    if (!Array.isArray(value)) throw new DecodeError(path, "a list", value)
    return value.map((item: unknown, at) => decoder(item, `${path}[${at}]`))
  }

const record: Decoder<{ readonly [name: string]: unknown }> = primitive("an object", isRecord)

export const dictionary =
  <A>(decoder: Decoder<A>): Decoder<{ readonly [name: string]: A }> =>
  (value, path) =>
    Object.fromEntries(
      Object.entries(record(value, path)).map(([name, item]) => [name, decoder(item, `${path}.${name}`)])
    )

interface Fields {
  readonly [name: string]: Decoder<unknown>
}

/** Unnamed fields are dropped. */
export const struct =
  <F extends Fields>(fields: F): Decoder<{ readonly [Name in keyof F]: Decoded<F[Name]> }> =>
  (value, path) => {
    const values = record(value, path)
    const decoded = Object.entries(fields).map(([name, decoder]) => [
      name,
      decoder(values[name], path === "" ? name : `${path}.${name}`)
    ])
    // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: each field has the type of its decoder
    return Object.fromEntries(decoded) as { readonly [Name in keyof F]: Decoded<F[Name]> }
  }
