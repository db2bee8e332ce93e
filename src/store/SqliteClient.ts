/**
 * Effect's client for SQLite, in the one place that imports it. In `dist` the build replaces this module by the client's own
 * code: its package depends on better-sqlite3 12, and a published package cannot override that for those who install it.
 */
export * from "@effect/sql-sqlite-node/SqliteClient"
