/**
 * Databases on which no daemon can start: each is one sentence that says what to do.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import * as Charlotte from "../../cli/process/Charlotte.js"
import * as Daemon from "../../cli/process/Daemon.js"
import * as Tasks from "../../cli/process/Tasks.js"
import { adminOf } from "../database.js"
import * as OwnServer from "../ownServer.js"
import { command, world as makeWorld } from "./daemon.js"

const simple = () => Tasks.simple

/** Starts a daemon, in the background and in the foreground, which fails with the same sentence. */
const refused = (world: Charlotte.World, url: string, variables: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const launched = yield* command(world, `daemon start --database '${url}'`, variables)
    const stayed = yield* command(world, `daemon start --foreground --database '${url}' --log-level none`, variables)
    expect([launched.out, stayed.out]).toEqual(["", ""])
    expect(stayed.code).toBe(launched.code)
    expect(launched.err.trimEnd().split("\n"), launched.err).toHaveLength(1)
    return { code: launched.code, err: launched.err.trimEnd() }
  })

const withDatabase = (url: string, name: string) => url.replace(/\/[^/]*$/, `/${name}`)

describe("charlotte daemon start --database", () => {
  it.scopedLive("says what to do about a server that is not there, a database that is not there, and a wrong URL", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(simple)
      const nowhere = "postgres://me@127.0.0.1:9/jobs"
      expect(yield* refused(world, nowhere)).toEqual({
        code: 75,
        err:
          `charlotte: store: open the database failed (unreachable): ${nowhere}: connect ECONNREFUSED 127.0.0.1:9; ` +
          "start the database server, or check its address"
      })
      const missing = withDatabase(world.url, "no_such_database")
      expect(yield* refused(world, missing)).toEqual({
        code: 1,
        err:
          `charlotte: store: open the database failed (other): ${missing}: database "no_such_database" does not exist; ` +
          "create it with: createdb -E UTF8 -T template0; see: charlotte doctor"
      })
      for (const url of ["mysql://127.0.0.1/jobs", "postgres://127.0.0.1:99999/jobs", "jobs", "postgres://h/\u0001"]) {
        expect(yield* refused(world, url)).toEqual({
          code: 2,
          err: "charlotte: --database must be postgres://USER@HOST:PORT/DATABASE, or sqlite; see: charlotte daemon start --help"
        })
      }
      for (const words of ["--database", "--database ''", "--database sqlite --database sqlite", "--databse x"]) {
        expect((yield* command(world, `daemon start ${words}`)).code, words).toBe(2)
      }
      // What a variable holds may have any byte but NUL.
      const variable = yield* command(world, "daemon start", { CHARLOTTE_DATABASE: "postgres://me:pass-word-1@h\n/x" })
      expect(variable).toMatchObject({
        code: 2,
        err: "charlotte: the configuration has 1 problem:\nCHARLOTTE_DATABASE: must be postgres://USER@HOST:PORT/DATABASE, or sqlite\n"
      })
      // A failed start is not noted: the home still has its file.
      expect((yield* command(world, "jobs --all --json")).out).toBe('{"jobs":[]}\n')
      const doctor = yield* command(world, "doctor", { CHARLOTTE_DATABASE: nowhere })
      expect(doctor.code).toBe(1)
      expect(doctor.out).toContain(`✗ database       ${nowhere}: connect ECONNREFUSED 127.0.0.1:9\n`)
      expect(doctor.out).toContain("→ start the database server, or check its address\n")
    })
  )

  it.scopedLive("says what to do about a wrong password, and takes the right one from each place", () =>
    Effect.gen(function* () {
      const server = yield* OwnServer.make
      const world = yield* Charlotte.world(simple)
      yield* adminOf(server.url, "CREATE ROLE worker LOGIN SUPERUSER PASSWORD 'right-pass-word'")
      const rules = join(server.directory, "pg_hba.conf")
      writeFileSync(rules, `host all worker 127.0.0.1/32 scram-sha-256\n${readFileSync(rules, "utf8")}`)
      yield* adminOf(server.url, "SELECT pg_reload_conf()")
      const url = server.url.replace("postgres@", "worker@")
      const sentence = (problem: string) =>
        `charlotte: store: open the database failed (other): ${url}: ${problem}; ` +
        "check the user, and the password in PGPASSWORD or PGPASSFILE; see: charlotte doctor"
      expect(yield* refused(world, url, { PGPASSWORD: "wrong-pass-word" })).toEqual({
        code: 1,
        err: sentence('password authentication failed for user "worker"')
      })
      expect(yield* refused(world, url)).toEqual({
        code: 1,
        err: sentence("SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string")
      })

      const file = `${world.root}/pgpass`
      yield* world.write(file, `127.0.0.1:*:*:worker:right-pass-word\n`)
      yield* Charlotte.run(world, `chmod 600 ${file}`)
      const right = url.replace("worker@", "worker:right-pass-word@")
      for (const [script, variables] of [
        [`exec charlotte daemon start --database ${url}`, { PGPASSFILE: file }],
        [`exec charlotte daemon start --database ${url}`, { PGPASSWORD: "right-pass-word" }],
        ["exec charlotte daemon start", { CHARLOTTE_DATABASE: right }]
      ] as const) {
        yield* Daemon.up(world, { script, variables })
        yield* Daemon.down(world)
      }
    })
  )

  it.scopedLive("says what to do about a server that is too old", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(simple)
      yield* adminOf(
        world.url,
        `CREATE SCHEMA old;
         CREATE FUNCTION old.current_setting(name text) RETURNS text LANGUAGE sql AS
           $$ SELECT CASE WHEN name = 'server_version_num' THEN '120022' ELSE pg_catalog.current_setting(name) END $$`
      )
      const url = `${world.url}?options=-c%20search_path%3Dold,pg_catalog`
      expect(yield* refused(world, url)).toEqual({
        code: 1,
        err: "charlotte: store: open the store failed (version): PostgreSQL 12 is older than the required 13; see: charlotte doctor"
      })
    })
  )

  // PgBouncer 1.24 is refused in the modes transaction and statement, and works in the mode session.
  it.scopedLive("refuses a pooler that shares connections between transactions, before it takes a lock there", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(simple)
      yield* adminOf(
        world.url,
        `CREATE SCHEMA pooled;
         CREATE FUNCTION pooled.pg_backend_pid() RETURNS integer LANGUAGE sql AS 'SELECT 1'`
      )
      expect(yield* refused(world, `${world.url}?options=-c%20search_path%3Dpooled,pg_catalog`)).toEqual({
        code: 1,
        err:
          "charlotte: store: acquire ownership failed (other): a pooler in front of the server shares its connections between " +
          "transactions; set pool_mode = session for this database, or connect to the server itself; see: charlotte doctor"
      })
      yield* Daemon.up(world, { script: `exec charlotte daemon start --database ${world.url}` })
      yield* Daemon.down(world)
    })
  )

  it.scopedLive("names the daemon of another home that works on the database, and where it runs", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(Tasks.waiting())
      const { pid } = yield* Daemon.up(world, { script: `exec charlotte daemon start --database ${world.url}` })
      const other = { ...world, variables: { ...world.variables, CHARLOTTE_HOME: `${world.root}/other` } }
      expect(yield* refused(other, world.url)).toEqual({
        code: 75,
        err: `charlotte: jobs of kind "tasks" are already managed by process ${pid} on ${hostname()}; stop it there, or use another database`
      })
      // Nor does that home take the jobs at work for interrupted ones.
      const id = yield* Daemon.submit(world)
      yield* Tasks.reached(world)
      const elsewhere = { CHARLOTTE_DATABASE: world.url }
      const listed = yield* command(other, "jobs --all --status running --json", elsewhere)
      expect(JSON.parse(listed.out)).toMatchObject({ jobs: [{ id, status: "running" }] })
      expect((yield* command(other, "doctor", elsewhere)).out).toContain(`jobs           ${id} is running`)
      yield* Tasks.release(world)
      yield* command(world, `watch ${id}`)
      yield* Daemon.down(world)
      yield* Daemon.up(other, { script: `exec charlotte daemon start --database ${world.url}` })
      yield* Daemon.down(other)
    })
  )
})
