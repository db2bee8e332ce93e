import { Effect } from "effect"
import { Client } from "pg"

/** The URL of a new and empty database on the server of that URL. */
export const freshDatabase = (server: string): Effect.Effect<string> =>
  Effect.promise(async () => {
    const url = new URL(server)
    url.pathname = `/bench_${process.pid}_${Date.now()}`
    const client = new Client({ connectionString: server })
    await client.connect()
    await client.query(`CREATE DATABASE ${url.pathname.slice(1)}`)
    await client.end()
    return url.href
  })
