/**
 * Owners of a kind in a database file, in this process and in others.
 */
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Either, Exit, Layer, Option, Scope } from "effect"
import { spawnSync } from "node:child_process"
import { readdirSync, rmSync, statSync } from "node:fs"
import { basename, dirname } from "node:path"
import { KernelRef } from "../../../src/internal/ProcessIdentity.js"
import * as Contender from "../../daemon/Contender.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

const databaseFile = TemporaryDirectory.file("jobs.db")

const stored =
  (filename: string) =>
  <A, E, R>(use: Effect.Effect<A, E, R | RunStore.RunStore>) =>
    Effect.provide(use, RunStore.layer.pipe(Layer.provide(Database.layer({ filename }))))

const acquire = (id: string, kind = "tasks") =>
  Effect.flatMap(RunStore.RunStore, ({ owners }) => owners.acquire({ kind, id }))

/** Acquires the kind and releases it immediately. */
const attempt = (filename: string) => Effect.either(Effect.scoped(acquire("attempt"))).pipe(stored(filename))

const contender = Effect.flatMap(Contender.program, Contender.start)

const inNamespace = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
const canUnshare = spawnSync("unshare", [...inNamespace.slice(1), "true"], { stdio: "ignore" }).status === 0

describe("owners.acquire on a database file", () => {
  it.scopedLive("fails while another process owns the kind, and succeeds once that process is killed", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const other = yield* contender
      expect(yield* other.ask(`own ${file}`)).toMatchObject({ tag: "won" })
      expect(yield* Effect.flip(Effect.flatten(attempt(file)))).toMatchObject({
        _tag: "AlreadyManaged",
        pid: other.pid
      })
      yield* other.kill
      expect(Either.isRight(yield* attempt(file))).toBe(true)
    })
  )

  it.scopedLive.skipIf(!canUnshare)(
    "fails while a process in another pid namespace owns the kind, and succeeds once that process is killed (needs unshare --pid)",
    () =>
      Effect.gen(function* () {
        const file = yield* databaseFile
        const program = yield* Contender.program
        const container = yield* Contender.start(program, { under: inNamespace })
        expect(yield* container.ask(`own ${file}`)).toMatchObject({ tag: "won" })
        const error = yield* Effect.flip(Effect.flatten(attempt(file)))
        expect(error).toMatchObject({ _tag: "AlreadyManaged", pid: 1 })
        expect(error.message).toContain("process 1 of another pid namespace")
        yield* container.kill
        expect(Either.isRight(yield* attempt(file))).toBe(true)
      })
  )

  it.scopedLive.skipIf(!canUnshare)(
    "fails in another pid namespace while this process owns the kind (needs unshare --pid)",
    () =>
      Effect.gen(function* () {
        const file = yield* databaseFile
        const container = yield* Contender.start(yield* Contender.program, { under: inNamespace })
        yield* Effect.gen(function* () {
          yield* acquire("mine")
          expect(yield* container.ask(`own ${file}`)).toMatchObject({ error: "AlreadyManaged", holder: process.pid })
        }).pipe(Effect.scoped, stored(file))
        expect(yield* container.ask(`own ${file}`)).toMatchObject({ tag: "won" })
      })
  )

  it.scoped("keeps the kind after the store has closed, until its own scope closes", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const scope = yield* Scope.make()
      yield* Scope.extend(acquire("first"), scope).pipe(stored(file))
      expect(yield* Effect.flip(Effect.flatten(attempt(file)))).toMatchObject({ _tag: "AlreadyManaged" })
      yield* Scope.close(scope, Exit.void)
      expect(Either.isRight(yield* attempt(file))).toBe(true)
    })
  )

  it.scoped("creates a lock file for the kind beside the database, with the mode of the database", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      yield* Effect.gen(function* () {
        yield* acquire("a")
        yield* acquire("b", "my-kind")
        yield* acquire("c", "../../any text")
      }).pipe(Effect.scoped, stored(file))
      const locks = readdirSync(dirname(file)).filter((name) => name.endsWith(".lock"))
      expect(locks).toHaveLength(3)
      expect(locks).toEqual(expect.arrayContaining(["jobs.db-tasks.lock", "jobs.db-my-kind.lock"]))
      for (const name of locks) {
        expect(name.startsWith(basename(file))).toBe(true)
        expect(statSync(`${dirname(file)}/${name}`)).toMatchObject({ size: 0, mode: statSync(file).mode })
      }
    })
  )

  it.scoped("respects an owner of version 0.1.0, which holds no lock, while its process is alive", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const { self } = yield* KernelRef
      const record = (startTime: string) =>
        Effect.flatMap(RunStore.RunStore, ({ owners }) =>
          Effect.flatMap(owners.get("tasks"), (found) =>
            owners.claim({ kind: "tasks", id: startTime, process: { ...self, startTime } }, found)
          )
        ).pipe(stored(file))
      yield* record(self.startTime)
      expect(yield* Effect.flip(Effect.flatten(attempt(file)))).toMatchObject({ _tag: "AlreadyManaged", pid: self.pid })
      yield* record("1")
      expect(Either.isRight(yield* attempt(file))).toBe(true)
    })
  )

  it.scoped("does not give the kind to another manager when the lock file is deleted", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      yield* Effect.gen(function* () {
        yield* acquire("first")
        rmSync(`${file}-tasks.lock`)
        expect(yield* Effect.flip(Effect.flatten(attempt(file)))).toMatchObject({ _tag: "AlreadyManaged" })
      }).pipe(Effect.scoped, stored(file))
      expect(Either.isRight(yield* attempt(file))).toBe(true)
    })
  )

  it.scoped("succeeds on a copy of the database while the original is owned", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const copy = yield* databaseFile
      yield* Effect.gen(function* () {
        yield* acquire("first")
        const { owners } = yield* RunStore.RunStore
        const record = yield* Effect.flatten(owners.get("tasks"))
        yield* Effect.gen(function* () {
          const { owners } = yield* RunStore.RunStore
          yield* owners.claim(record, Option.none())
          yield* acquire("second")
        }).pipe(Effect.scoped, stored(copy))
      }).pipe(Effect.scoped, stored(file))
    })
  )
})
