/** The command as `npm run build` makes it, and as it is installed. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import Database from "better-sqlite3"
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { dirname } from "node:path"
import { afterAll, beforeAll } from "vitest"
import manifest from "../../../package.json" with { type: "json" }
import * as Bundle from "../../support/bundle.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as Charlotte from "./Charlotte.js"
import * as Tasks from "./Tasks.js"

/** A package as npm unpacks it, with the command in it and a link to that where a shell looks for commands. */
let installed = ""
let close = Effect.void

beforeAll(async () => {
  const scope = Effect.runSync(Scope.make())
  close = Scope.close(scope, Exit.void)
  installed = await Effect.runPromise(Scope.extend(TemporaryDirectory.make, scope))
  await Effect.runPromise(Bundle.installed(installed))
  mkdirSync(`${installed}/bin`)
  symlinkSync(`../${manifest.bin.charlotte}`, `${installed}/bin/charlotte`)
}, 120_000)

afterAll(() => Effect.runPromise(close))

const world = (files: Parameters<typeof Charlotte.world>[0]) =>
  Effect.map(Charlotte.world(files), (world) => ({
    ...world,
    variables: {
      ...world.variables,
      PATH: [`${installed}/bin`, dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"].join(":")
    }
  }))

describe("bundle", () => {
  it.scopedLive("runs a job", () =>
    Effect.gen(function* () {
      const there = yield* world(() => Tasks.simple)
      expect(yield* Charlotte.run(there, "charlotte --version")).toMatchObject({
        code: 0,
        out: `${manifest.version}\n`,
        err: ""
      })
      const { code, err, out } = yield* Charlotte.run(there, "charlotte run tasks")
      expect([code, err]).toEqual([0, ""])
      expect(out).toContain("✓ completed in ")
      expect(yield* Tasks.done(there)).toEqual(Tasks.all)
    })
  )

  it.scopedLive("starts, reaches and stops itself as the daemon", () =>
    Effect.gen(function* () {
      const there = yield* world(() => Tasks.simple)
      const say = (script: string) => Effect.map(Charlotte.run(there, script), ({ err, out }) => out + err)
      yield* Effect.addFinalizer(() => Charlotte.run(there, "charlotte daemon stop"))
      expect(yield* say("charlotte daemon start")).toMatch(/^charlotte daemon is ready \(pid \d+, version /)
      expect(yield* say("charlotte daemon status")).toMatch(/\n {2}ready\n$/)
      expect(lstatSync(`${there.home}/socket`).isSocket()).toBe(true)
      const id = (yield* say("charlotte start tasks")).trim()
      expect((yield* Charlotte.run(there, `charlotte watch ${id}`)).code).toBe(0)
      expect(yield* say("charlotte jobs")).toContain("completed")
      expect(yield* say("charlotte daemon stop")).toMatch(/^charlotte daemon has exited \(pid \d+\)\n$/)
      expect(Charlotte.processes(there)).toEqual([])
    })
  )

  it.scopedLive("shows the summary on a terminal without what only a daemon or a job needs", () =>
    Effect.gen(function* () {
      const there = yield* world(() => Tasks.simple)
      yield* Charlotte.run(there, "charlotte run tasks")
      const { root } = there
      writeFileSync(
        `${root}/loaded.cjs`,
        `process.on("exit", () => require("node:fs").writeFileSync("${root}/loaded", Object.keys(require.cache).join("\\n")))`
      )
      const { code, out } = yield* Charlotte.run(there, "exec script --quiet --return --command charlotte /dev/null", {
        variables: { NODE_OPTIONS: `--require=${root}/loaded.cjs`, SHELL: "/bin/sh" }
      })
      expect([code, out]).toEqual([0, expect.stringContaining("Nothing needs you")])
      const read = (files: ReadonlyArray<string>) => files.map((file) => readFileSync(file, "utf8")).join("\n")
      const chunks = `${installed}/dist/cli/chunks`
      const loaded = read(readFileSync(`${root}/loaded`, "utf8").split("\n"))
      const all = read(readdirSync(chunks).map((name) => `${chunks}/${name}`))
      // Of the HTTP server, of plans, and of child processes.
      const marks = ["sec-fetch-site", "charlotte/PlanSnapshot", "charlotte/ProcessRunner"]
      expect(marks.filter((mark) => all.includes(mark))).toEqual(marks)
      expect(marks.filter((mark) => loaded.includes(mark))).toEqual([])
      expect(loaded).toContain("Nothing needs you")
    })
  )

  it.scopedLive("loads the database driver in the child process that checks a large database", () =>
    Effect.gen(function* () {
      const there = yield* world(() => Tasks.simple)
      yield* Charlotte.run(there, "charlotte run tasks")
      const file = `${there.home}/charlotte.db`
      const database = new Database(file)
      database.exec("CREATE TABLE large (content); INSERT INTO large VALUES (zeroblob(20000000))")
      database.close()
      const descriptor = openSync(file, "r+")
      writeSync(descriptor, Buffer.alloc(4_096, 0xff), 0, 4_096, 10_240_000)
      closeSync(descriptor)
      yield* Effect.addFinalizer(() => Charlotte.run(there, "charlotte daemon stop"))
      const log = `${there.home}/logs/daemon.log`
      const script = `charlotte daemon start && until grep -q '${file} is damaged' ${log}; do sleep 0.05; done`
      expect(yield* Charlotte.run(there, script)).toMatchObject({ code: 0, err: "" })
    })
  )

  it.scopedLive("uses the compile cache of the user, and works without it", () =>
    Effect.gen(function* () {
      const there = yield* world(() => Tasks.simple)
      const version = (variables: string) => Charlotte.run(there, `${variables} charlotte --version`)
      const works = { code: 0, out: `${manifest.version}\n`, err: "" }
      const cached = (directory: string) => readdirSync(`${directory}/charlotte`, { recursive: true }).length > 0
      const { root } = there
      expect(yield* version("XDG_CACHE_HOME=")).toMatchObject(works)
      expect(cached(`${root}/home/.cache`)).toBe(true)
      expect(yield* version(`XDG_CACHE_HOME=${root}/cache`)).toMatchObject(works)
      expect(cached(`${root}/cache`)).toBe(true)
      for (const entry of readdirSync(`${root}/cache`, { recursive: true, withFileTypes: true }))
        if (entry.isFile()) writeFileSync(`${entry.parentPath}/${entry.name}`, "not of V8")
      expect(yield* version(`XDG_CACHE_HOME=${root}/cache`)).toMatchObject(works)
      expect(yield* version("XDG_CACHE_HOME=/dev/null")).toMatchObject(works)
      expect(yield* version("XDG_CACHE_HOME=. HOME=.")).toMatchObject(works)
    })
  )
})
