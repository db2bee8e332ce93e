/** Rehearsals of changes of kinds, on the files of a database. */
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { execFileSync } from "node:child_process"
import { readdirSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { GitEnvironmentRef } from "../../../src/git/GitEnvironment.js"
import { at, event, id } from "../../store/runs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as CommandLine from "../commands/CommandLine.js"
import { additive, breaking, type Change, ended, moduleOf } from "./changes.js"
import { withoutProgress } from "./withoutProgress.js"

const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url))

/** What the old version has recorded: a job of each kind. */
const plant = (changes: { readonly [name: string]: Change }) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    let n = 0
    for (const [kind, { config = { to: "a" }, error, event: emitted, parksFor, result, signal }] of Object.entries(
      changes
    )) {
      const jobId = id(++n)
      const current = { jobId, attempt: 1, at: at(n) }
      yield* store.create({ id: jobId, kind, key: undefined, config, labels: {}, at: at(n) })
      if (signal !== undefined) {
        const payload = signal[1] === undefined ? undefined : JSON.stringify(signal[1])
        yield* store.signal({ kind, limit: 9, jobId, name: signal[0], payload, at: at(n) })
      }
      if (emitted !== undefined) yield* store.append({ jobId, attempt: 1, events: [event(...emitted)] })
      if (parksFor !== undefined)
        yield* store.record({ ...current, type: "job.parked", parked: { reason: "it waits", signal: parksFor } })
      if (result !== undefined) yield* store.record({ ...current, type: "job.completed", result })
      if (error !== undefined)
        yield* store.record({ ...current, type: "job.failed", error: { kind: "failure", error, cause: "" } })
    }
  })

const store = (filename: string) => RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))

const rehearse = (directory: string, ...args: ReadonlyArray<string>) =>
  Effect.flatMap(
    GitEnvironmentRef,
    (environment) => CommandLine.make({ directory, environment, variables: {} })(["rehearse", ...args]).answer
  )

/** A directory with a module, and a database that a manager has closed. */
const scene = (recorded: { readonly [name: string]: Change }, source = moduleOf(recorded)) =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    symlinkSync(modules, join(directory, "node_modules"))
    writeFileSync(join(directory, "kinds.mjs"), source)
    const filename = join(directory, "db", "jobs.db")
    execFileSync("mkdir", [dirname(filename)])
    yield* Effect.provide(plant(recorded), store(filename))
    return { directory, filename }
  })

/** The files beside the database with their times and hashes, read by another process: closing them here would release locks. */
const everything = (filename: string) =>
  readdirSync(dirname(filename))
    .sort()
    .map((name) => {
      const path = join(dirname(filename), name)
      return name.endsWith("-shm")
        ? name
        : `${name} ${execFileSync("stat", ["-c", "%Y %s", path], { encoding: "utf8" })} ${execFileSync("sha256sum", [path], { encoding: "utf8" })}`
    })

describe("charlotte rehearse", () => {
  it.scopedLive(
    "names each of 30 breaking changes, is silent about 30 additive ones, and changes no file",
    () =>
      Effect.gen(function* () {
        expect([Object.keys(breaking).length, Object.keys(additive).length]).toEqual([30, 30])
        const { directory, filename } = yield* scene({ ...breaking, ...additive })
        const before = everything(filename)
        const { code, err, out } = yield* rehearse(directory, "kinds.mjs", "--database", filename)
        expect([withoutProgress(err), code]).toEqual(["", 1])
        expect(out).toContain("60 live jobs: 30 continue; 30 do not\n")
        const named = [...out.matchAll(/^ {2}1 of ([\w-]+): /gm)].map(([, kind]) => kind)
        expect(named.sort()).toEqual(Object.keys(breaking).sort())
        expect(out).toContain("1 of required-field: config: field `template` is missing, such as job ")
        expect(everything(filename)).toEqual(before)
      }),
    120_000
  )

  it.scopedLive(
    "lists ended jobs apart, and exits with 0 for them, beside a live manager whose files it leaves as they are",
    () =>
      Effect.gen(function* () {
        const { directory, filename } = yield* scene({ ...ended, ...additive })
        yield* Effect.gen(function* () {
          const { create } = yield* RunStore.RunStore
          yield* create({ id: id(99), kind: "same", key: undefined, config: { to: "b" }, labels: {}, at: at(99) })
          const before = everything(filename)
          expect(before.length).toBe(3)
          const { code, err, out } = yield* rehearse(directory, "kinds.mjs", "--database", filename)
          expect([withoutProgress(err), code]).toEqual(["", 0])
          expect(out).toContain("✓ 31 live jobs: 31 continue\n")
          expect(out).toContain("2 ended jobs: 0 decode; 2 do not\n")
          expect(out).toContain("1 of result-changed: result: field `id` does not decode: Expected string, such as")
          expect(out).not.toContain("-wal")
          expect(everything(filename)).toEqual(before)
          yield* create({ id: id(100), kind: "same", key: undefined, config: { to: "c" }, labels: {}, at: at(100) })
        }).pipe(Effect.provide(store(filename)))
      }),
    120_000
  )

  it.scopedLive(
    "names what it has not rehearsed, and exits with 1 for it only with --strict",
    () =>
      Effect.gen(function* () {
        const source = `import { Context, Effect, Schema as S } from "effect"
          const Keys = Context.GenericTag("Keys")
          const config = S.transformOrFail(S.String, S.String, { decode: () => Effect.map(Keys, String), encode: () => Effect.map(Keys, String) })
          export class Secret { static kind = "secret"; static config = config; static success = S.Unknown; static error = S.Unknown; static starts = {} }`
        const { directory, filename } = yield* scene({ secret: { config: "a", next: "" }, gone: { next: "" } }, source)
        const answer = yield* rehearse(directory, "kinds.mjs", "--database", filename)
        expect([withoutProgress(answer.err), answer.code]).toEqual(["", 0])
        expect(answer.out).toContain("not rehearsed: 1 live job of gone: the module does not have the kind\n")
        expect(answer.out).toContain("not rehearsed: 1 live job of secret: the schema of config needs services\n")
        expect(answer.out).toContain("jobs.db-wal is not there: if this is a copy")
        const strict = yield* rehearse(directory, "kinds.mjs", "--database", filename, "--strict", "--json")
        expect(strict.code).toBe(1)
        expect(JSON.parse(strict.out)).toMatchObject({
          live: { jobs: 1, failing: 0 },
          unrehearsed: [{ kind: "secret" }, { kind: "gone" }]
        })
      }),
    120_000
  )

  it.scopedLive(
    "says how far it is, and gives up after --timeout with a sentence that names the option",
    () =>
      Effect.gen(function* () {
        const slow = "await new Promise((resolve) => setTimeout(resolve, 5_000))\n"
        const { directory, filename } = yield* scene(additive, slow + moduleOf(additive))
        const late = yield* rehearse(directory, "kinds.mjs", "--database", filename, "--timeout", "500ms")
        expect(late.code).toBe(2)
        expect(late.err).toContain("its import took longer than 500ms; give it more with --timeout")
        const { code, err } = yield* rehearse(directory, "kinds.mjs", "--database", filename, "--timeout", "2min")
        expect(code).toBe(0)
        expect(err).toMatch(/^importing kinds.mjs …\n/)
      }),
    180_000
  )

  for (const [what, source, message] of [
    [
      "writes a file",
      'import { writeFileSync } from "node:fs"; writeFileSync("written", "")',
      /Access to this API has been restricted/
    ],
    ["uses the network", 'import { connect } from "node:net"; connect(1)', /a rehearsal refuses the network/],
    [
      "starts a process",
      'import { spawnSync } from "node:child_process"; spawnSync("true")',
      /Access to this API has been restricted/
    ],
    ["exports no kinds", "export const a = 1", /it exports no kinds of jobs/],
    ["does not parse", "export const", /SyntaxError/]
  ] as const) {
    it.scopedLive(
      `refuses a module that ${what}`,
      () =>
        Effect.gen(function* () {
          const { directory, filename } = yield* scene({}, source)
          const { code, err } = yield* rehearse(directory, "kinds.mjs", "--database", filename)
          expect(code).toBe(2)
          expect(err).toMatch(message)
          expect(readdirSync(directory)).not.toContain("written")
        }),
      60_000
    )
  }
})
