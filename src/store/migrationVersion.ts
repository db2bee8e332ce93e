/**
 * The version of a schema is the number in the name of the last migration, such as 15 for `0015_trace`.
 */
type Migrations = { readonly [name: string]: unknown }

export const of = (name: string): number => Number.parseInt(name, 10)

export const latest = (migrations: Migrations): number => Math.max(0, ...Object.keys(migrations).map(of))
