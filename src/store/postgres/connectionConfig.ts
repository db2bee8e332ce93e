/**
 * How a client of `@effect/sql-pg` connects, for connections outside its pool.
 */
import type { PgClient } from "@effect/sql-pg/PgClient"
import { Redacted } from "effect"
import type { ClientConfig } from "pg"

export const connectionConfig = ({ config }: PgClient): ClientConfig => {
  const { database, host, password, port, ssl, stream, url, username } = config
  return {
    ...(url === undefined ? {} : { connectionString: Redacted.value(url) }),
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(username === undefined ? {} : { user: username }),
    ...(password === undefined ? {} : { password: Redacted.value(password) }),
    ...(database === undefined ? {} : { database }),
    ...(ssl === undefined ? {} : { ssl }),
    ...(stream === undefined ? {} : { stream }),
    keepAlive: true
  }
}
