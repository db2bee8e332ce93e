/**
 * What docs/operations.md says about databases on PostgreSQL, and the example of docs/embedding.md.
 */
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { execFile, execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { vi } from "vitest"
import * as Audit from "../../src/store/Audit.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as TestDatabase from "./database.js"
import { programNamed } from "./installation.js"
import * as ownServer from "./ownServer.js"
import { makeManager } from "./steps.js"

const withStore =
  (url: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.flatMap(Layer.build(RunStore.layer.pipe(Layer.provideMerge(Database.layerPostgres({ url })))), (context) =>
      Effect.provide(effect, context)
    )

describe("an application on PostgreSQL", () => {
  it.scoped("runs the example of the documentation, again and again", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const example = fileURLToPath(new URL("../../examples/postgres.ts", import.meta.url))
      for (const order of [1, 2]) {
        const { stdout } = yield* Effect.promise(() =>
          promisify(execFile)(process.execPath, ["--import", "tsx", example], {
            env: { ...process.env, DATABASE_URL: url }
          })
        )
        expect(stdout).toBe(`invoice for order ${order}\ncompleted\n`)
      }
    })
  )

  it.scopedLive("is restored from a dump that was taken while a job ran, and continues it", () =>
    Effect.gen(function* () {
      const [url, restored] = [yield* TestDatabase.make, yield* TestDatabase.make]
      const file = yield* TemporaryDirectory.file("dump")
      const program = (name: string, ...args: ReadonlyArray<string>) =>
        Effect.sync(() => execFileSync(programNamed(name), args, { stdio: ["ignore", "ignore", "inherit"] }))
      const id = yield* Effect.scoped(
        Effect.gen(function* () {
          const jobs = yield* makeManager
          const started = yield* jobs.start({ endsAt: 2 })
          yield* program("pg_dump", "-Fc", "-f", file, url)
          return started
        }).pipe(withStore(url))
      )
      yield* program("pg_restore", "-d", restored, file)
      yield* Effect.gen(function* () {
        const jobs = yield* makeManager
        expect(yield* jobs.await(id)).toMatchObject({ status: "completed", attempt: 2 })
        const next = yield* jobs.start({ endsAt: 1 })
        expect(yield* jobs.await(next)).toMatchObject({ status: "completed" })
        expect((yield* Audit.run()).violations).toEqual([])
      }).pipe(withStore(restored))
    })
  )

  it.scopedLive("gets its password from PGPASSWORD or the file of PGPASSFILE, for all of its connections", () =>
    Effect.gen(function* () {
      const server = yield* ownServer.make
      const { port } = new URL(server.url)
      const run = Effect.scoped(
        Effect.gen(function* () {
          const jobs = yield* makeManager
          const id = yield* jobs.start({ endsAt: 1 })
          return (yield* jobs.await(id)).status
        }).pipe(withStore(server.url))
      )
      expect(yield* run).toBe("completed")

      yield* TestDatabase.adminOf(server.url, "ALTER USER postgres PASSWORD 'secret'")
      writeFileSync(join(server.directory, "pg_hba.conf"), "host all all 127.0.0.1/32 scram-sha-256\n")
      yield* server.stop
      yield* server.start
      yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllEnvs()))

      vi.stubEnv("PGPASSWORD", "wrong")
      expect(String(yield* Effect.flip(run))).toMatch(
        /password authentication failed for user "postgres"; check the user, and the password in PGPASSWORD or PGPASSFILE$/
      )
      vi.stubEnv("PGPASSWORD", "secret")
      expect(yield* run).toBe("completed")

      vi.unstubAllEnvs()
      const file = yield* TemporaryDirectory.file("pgpass")
      writeFileSync(file, `127.0.0.1:${port}:*:postgres:secret\n`, { mode: 0o600 })
      vi.stubEnv("PGPASSFILE", file)
      const warnings: Array<string> = []
      const onWarning = ({ message }: Error) => void warnings.push(message)
      process.on("warning", onWarning)
      yield* Effect.addFinalizer(() => Effect.sync(() => process.off("warning", onWarning)))
      expect(yield* run).toBe("completed")
      expect(warnings).toEqual([])
    })
  )
})
