/**
 * Databases for tests: each has its own, which is dropped at the end.
 */
import { Effect, type Scope } from "effect"
import { randomUUID } from "node:crypto"
import { Client } from "pg"
import { inject } from "vitest"

/** The rows that a statement finds in the database of that URL. */
export const rowsOf = (url: string, statement: string): Effect.Effect<ReadonlyArray<Record<string, unknown>>> =>
  Effect.promise(async () => {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows
    } finally {
      await client.end()
    }
  })

/** Runs a statement on the database of that URL. */
export const adminOf = (url: string, statement: string): Effect.Effect<void> => Effect.asVoid(rowsOf(url, statement))

/** Runs a statement on the server as its superuser. */
export const admin = (statement: string): Effect.Effect<void> => adminOf(inject("postgres").url, statement)

const create = (template: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const name = `charlotte_${randomUUID().replaceAll("-", "")}`
      const { strategy, url: server } = inject("postgres")
      const url = new URL(server)
      url.pathname = `/${name}`
      return Effect.as(admin(`CREATE DATABASE ${name} TEMPLATE ${template} ${strategy}`), url.href)
    }),
    (url) => admin(`DROP DATABASE ${nameOf(url)} WITH (FORCE)`)
  )

const nameOf = (url: string) => new URL(url).pathname.slice(1)

/** The URL of a new and empty database. */
export const make: Effect.Effect<string, never, Scope.Scope> = create("template1")

/** The URL of a new database with all tables. */
export const migrated: Effect.Effect<string, never, Scope.Scope> = Effect.suspend(() =>
  create(inject("postgres").migrated)
)
