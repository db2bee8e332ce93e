/**
 * Reads fields of event payloads, which may be any JSON: custom orchestrators emit anything, also under the types of tasks.
 */

export const json = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined

export const string = (value: unknown, name: string): string | undefined => {
  const found = json(value, name)
  return typeof found === "string" ? found : undefined
}

export const number = (value: unknown, name: string): number | undefined => {
  const found = json(value, name)
  return typeof found === "number" && Number.isFinite(found) ? found : undefined
}

export const list = (value: unknown, name: string): ReadonlyArray<unknown> => {
  const found = json(value, name)
  return Array.isArray(found) ? found : []
}

/** A range of a log file. An event that names a log before it is written has only the path. */
export interface LogRange {
  readonly file: string
  readonly from?: number
  readonly to?: number
}

/** The fields of a payload whose values have a type. */
type Names<P, Value> = { [Name in keyof P]-?: NonNullable<P[Name]> extends Value ? Name : never }[keyof P] & string

type Item<List> = NonNullable<List> extends ReadonlyArray<infer Each> ? Each : never

/** The fields of a payload that should be a `P`. A field of another type is read as missing. */
export class Fields<P> {
  readonly value: unknown
  constructor(value: unknown) {
    this.value = value
  }

  json(name: Names<P, unknown>): unknown {
    return json(this.value, name)
  }

  string(name: Names<P, string>): string | undefined {
    return string(this.value, name)
  }

  /** Empty if it is missing. */
  text(name: Names<P, string>): string {
    return string(this.value, name) ?? ""
  }

  number(name: Names<P, number>): number | undefined {
    return number(this.value, name)
  }

  boolean(name: Names<P, boolean>): boolean {
    return json(this.value, name) === true
  }

  /** Whether it is not `false`. */
  isTrue(name: Names<P, boolean>): boolean {
    return json(this.value, name) !== false
  }

  /** A time, in milliseconds. */
  time(name: Names<P, string>): number | undefined {
    const time = Date.parse(this.text(name))
    return Number.isNaN(time) ? undefined : time
  }

  strings(name: Names<P, ReadonlyArray<string>>): ReadonlyArray<string> {
    return list(this.value, name).filter((value) => typeof value === "string")
  }

  list<Name extends Names<P, ReadonlyArray<object>>>(name: Name): ReadonlyArray<Fields<Item<P[Name]>>> {
    return list(this.value, name).map((value) => new Fields<Item<P[Name]>>(value))
  }

  log(name: Names<P, string | LogRange>): LogRange | undefined {
    const found = json(this.value, name)
    if (typeof found === "string") return { file: found }
    const file = string(found, "file")
    if (file === undefined) return undefined
    const from = number(found, "from")
    const to = number(found, "to")
    return { file, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
  }
}

/** The message of an error, which may be any JSON. */
export const messageOf = (error: unknown): string => {
  if (typeof error === "string") return error
  const named = ["message", "reason", "_tag", "name"].map((name) => string(error, name))
  return named.find((text) => text !== undefined && text !== "") ?? (error === undefined ? "" : JSON.stringify(error))
}
