/** Reads values of rows. */

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

export const text = (row: unknown, name: string): string => {
  const value = isObject(row) ? row[name] : undefined
  return typeof value === "string" ? value : ""
}

export const number = (row: unknown, name: string): number => {
  const value = isObject(row) ? row[name] : undefined
  return typeof value === "number" ? value : Number.NaN
}

export const maybe = (row: unknown, name: string): string | null => text(row, name) || null
