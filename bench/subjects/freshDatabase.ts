import { Effect } from "effect"
import { Client } from "pg"

/** Creates an empty database on this server, and returns its URL. */
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
