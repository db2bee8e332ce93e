import v02 from "./0008_v0_2.js"

/** The migrations of PostgreSQL. From the eighth on, SQLite's have the same names, and both end with the same tables and columns. */
export const migrations: { readonly [name: string]: ReadonlyArray<string> } = {
  "0008_v0_2": v02
}
