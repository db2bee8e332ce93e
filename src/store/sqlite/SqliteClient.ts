/**
 * Effect's SQLite client, imported only here. In `dist` the build replaces this module with the client's source: its package
 * pins better-sqlite3 12, and a published package cannot override that for its users.
 */
export * from "@effect/sql-sqlite-node/SqliteClient"
