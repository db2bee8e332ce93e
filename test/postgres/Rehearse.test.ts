import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { withoutProgress } from "../cli/rehearse/withoutProgress.js"
import { GitEnvironmentRef } from "../../src/git/GitEnvironment.js"
import * as CommandLine from "../cli/commands/CommandLine.js"
import { at, id } from "../store/runs.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as TestDatabase from "./database.js"

const source = `import { Schema as S } from "effect"
const base = { success: S.Unknown, error: S.Unknown, starts: {} }
export const Email = { ...base, kind: "email", config: S.Struct({ to: S.String, template: S.String }) }`

/** The versions of the rows: each transaction that writes to one, or locks it, leaves its number there. */
const versions = (url: string) =>
  TestDatabase.rowsOf(url, "SELECT id, xmin::text, xmax::text FROM charlotte_runs ORDER BY id")

describe("charlotte rehearse on PostgreSQL", () => {
  it.scopedLive(
    "says which live jobs do not continue, and writes nothing, as a role that may only read",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const directory = yield* TemporaryDirectory.make
        symlinkSync(fileURLToPath(new URL("../../node_modules", import.meta.url)), join(directory, "node_modules"))
        writeFileSync(join(directory, "kinds.mjs"), source)
        yield* Effect.gen(function* () {
          const { create } = yield* RunStore.RunStore
          for (const n of [1, 2, 3]) {
            const config = n === 1 ? { to: "a" } : { to: "a", template: "b" }
            yield* create({ id: id(n), kind: "email", key: undefined, config, labels: {}, at: at(n), isQueued: true })
          }
        }).pipe(Effect.provide(RunStore.layer.pipe(Layer.provide(Database.layerPostgres({ url })))))
        const role = `reader_${process.pid}`
        yield* TestDatabase.adminOf(
          url,
          `CREATE ROLE ${role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`
        )
        yield* Effect.addFinalizer(() => TestDatabase.adminOf(url, `DROP OWNED BY ${role}; DROP ROLE ${role}`))
        const reading = new URL(url)
        reading.username = role
        const environment = yield* GitEnvironmentRef
        const before = yield* versions(url)
        const { code, err, out } = yield* CommandLine.make({ directory, environment, variables: {} })([
          "rehearse",
          "kinds.mjs",
          "--database",
          reading.href
        ]).answer
        expect(yield* versions(url)).toEqual(before)
        expect([withoutProgress(err), code]).toEqual(["", 1])
        expect(out).toContain("3 live jobs: 2 continue; 1 does not\n")
        expect(out).toContain(`1 of email: config: field \`template\` is missing, such as job ${id(1)}\n`)
      }),
    120_000
  )
})
