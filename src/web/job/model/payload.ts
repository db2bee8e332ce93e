/**
 * Reads fields of event payloads, which may be any JSON: custom orchestrators emit anything, also under the types of tasks.
 */

const field = (json: unknown, name: string): unknown =>
  typeof json === "object" && json !== null && Object.hasOwn(json, name) ? Reflect.get(json, name) : undefined

export const string = (json: unknown, name: string): string | undefined => {
  const value = field(json, name)
  return typeof value === "string" ? value : undefined
}

export const number = (json: unknown, name: string): number | undefined => {
  const value = field(json, name)
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}

export const list = (json: unknown, name: string): ReadonlyArray<unknown> => {
  const value = field(json, name)
  return Array.isArray(value) ? value : []
}

export const strings = (json: unknown, name: string): ReadonlyArray<string> =>
  list(json, name).filter((value) => typeof value === "string")

export const json = field

/** A range of a log file. An event that names a log before it is written has only the path. */
export interface LogRange {
  readonly file: string
  readonly from?: number
  readonly to?: number
}

export const log = (json: unknown): LogRange | undefined => {
  const value = field(json, "log")
  if (typeof value === "string") return { file: value }
  const file = string(value, "file")
  if (file === undefined) return undefined
  const from = number(value, "from")
  const to = number(value, "to")
  return { file, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}
