/**
 * A PostgreSQL server for the example, on a loopback port and in a separate directory.
 */
import { Data, Effect, type Scope } from "effect"
import { execFileSync } from "node:child_process"
import { chownSync, existsSync, mkdirSync, readdirSync } from "node:fs"
import { delimiter, join } from "node:path"
import { freePort } from "./freePort.js"

export class NoPostgres extends Data.TaggedError("NoPostgres")<{ readonly reason: string }> {
  override get message() {
    return `${this.reason}; install PostgreSQL, such as by "apt-get install postgresql", or name a database: --database postgres://…`
  }
}

/** Debian keeps the programs of the server out of the PATH. */
const directories = (): ReadonlyArray<string> => {
  const versions = "/usr/lib/postgresql"
  const debian = existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, "bin")) : []
  return [...(process.env["PATH"] ?? "").split(delimiter), ...debian]
}

/** The server refuses to run as root. */
const user = () => {
  if (process.getuid?.() !== 0) return {}
  const id = (option: string) => Number(execFileSync("id", [option, "postgres"], { encoding: "utf8" }))
  return { uid: id("-u"), gid: id("-g") }
}

/** Returns the URL of its database. The server stops with the scope. */
export const start = (directory: string): Effect.Effect<string, NoPostgres, Scope.Scope> =>
  Effect.gen(function* () {
    const bin = directories().find((directory) =>
      ["initdb", "pg_ctl"].every((name) => existsSync(join(directory, name)))
    )
    if (bin === undefined) return yield* new NoPostgres({ reason: "initdb and pg_ctl are not installed" })
    const port = yield* freePort
    const own = join(directory, "postgres")
    const run = (program: string, ...parameters: ReadonlyArray<string>) =>
      Effect.try({
        try: () =>
          execFileSync(join(bin, program), ["-D", join(own, "data"), ...parameters], {
            ...user(),
            cwd: own,
            stdio: "ignore"
          }),
        catch: (cause) => new NoPostgres({ reason: cause instanceof Error ? cause.message : String(cause) })
      })
    const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=`
    yield* Effect.sync(() => {
      mkdirSync(own)
      const { gid, uid } = user()
      if (uid !== undefined) chownSync(own, uid, gid)
    })
    yield* run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    yield* Effect.acquireRelease(run("pg_ctl", "-l", join(own, "log"), "-o", settings, "-w", "start"), () =>
      Effect.ignoreLogged(run("pg_ctl", "-m", "fast", "-w", "stop"))
    )
    return `postgres://postgres@127.0.0.1:${port}/postgres`
  })
