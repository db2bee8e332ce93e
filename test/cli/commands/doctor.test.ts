import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { ConfigProvider, DateTime, Effect, Layer, Option, Schema } from "effect"
import { execFileSync } from "node:child_process"
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import manifest from "../../../package.json" with { type: "json" }
import { AgentLimit } from "../../../src/domain/AgentLimit.js"
import { TurnStreak } from "../../../src/domain/TurnStreak.js"
import { charlotte } from "../../../src/cli/parser/commands.js"
import * as HomeDirectory from "../../../src/cli/doctor/home.js"
import * as Home from "../../../src/daemon/home/Home.js"
import * as HomeLock from "../../../src/daemon/home/HomeLock.js"
import { DriverRef } from "../../../src/store/sqlite/Driver.js"
import { KernelRef } from "../../../src/internal/ProcessIdentity.js"
import { GitEnvironmentRef } from "../../../src/git/GitEnvironment.js"
import { ParentEnvironment } from "../../../src/process/ChildEnvironment.js"
import { ProcessTableRef } from "../../../src/process/ProcessTable.js"
import { newRun } from "../../store/runs.js"
import { everything } from "../../support/everything.js"
import * as Repository from "../../support/Repository.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as Capture from "../Capture.js"

/** A sandbox with a home of Charlotte's in it, and a directory of commands as the whole PATH. */
const around = Effect.map(Repository.sandbox, (sandbox) => {
  const [home, bin] = [`${sandbox.root}/charlotte`, `${sandbox.root}/bin`]
  mkdirSync(home, { mode: 0o700 })
  mkdirSync(bin)
  return { ...sandbox, home, bin, place: sandbox.root }
})

type World = Effect.Effect.Success<typeof around>

/** Runs a command in the sandbox. */
const run = (world: World, ...argv: ReadonlyArray<string>) =>
  Capture.run(charlotte, argv).pipe(
    Effect.provideService(GitEnvironmentRef, world.environment),
    Effect.provideService(ParentEnvironment, { PATH: world.bin }),
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["CHARLOTTE_HOME", world.home]])))
  )

const Report = Schema.parseJson(
  Schema.Struct({
    findings: Schema.Array(
      Schema.Struct({
        check: Schema.String,
        status: Schema.String,
        message: Schema.String,
        remedy: Schema.optional(Schema.String)
      })
    ),
    problems: Schema.Int,
    warnings: Schema.Int
  })
)

/** What doctor says of something, each with its remedy; it has changed nothing. */
const say = (world: World, check: string, ...argv: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const before = everything(world.root)
    const { code, err, out } = yield* run(world, "doctor", "--json", ...argv)
    expect(err).toBe("")
    expect(everything(world.root)).toEqual(before)
    const { findings, problems } = yield* Schema.decode(Report)(out)
    expect(code).toBe(problems > 0 ? 1 : 0)
    for (const { remedy, status } of findings) expect(status === "ok" || remedy !== undefined).toBe(true)
    return findings
      .filter((finding) => finding.check === check)
      .map(({ message, remedy, status }) => `${status}: ${message}${remedy === undefined ? "" : ` → ${remedy}`}`)
  })

const database = (world: World) =>
  RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename: `${world.home}/charlotte.db` })))

/** A job that its manager has left in the midst of its work. */
const cutOff = (world: World, n: number) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    const run = newRun(n, { config: { repoPath: `${world.root}/repository` } })
    yield* store.create(run)
    return run.id
  })

/** The WAL of another database, which has grown to many pages. */
const foreignLog = Effect.gen(function* () {
  const filename = yield* TemporaryDirectory.file("other.db")
  const log = `${filename}.log`
  yield* Effect.gen(function* () {
    const { create } = yield* RunStore.RunStore
    for (let n = 1; n <= 40; n++) yield* create(newRun(n, { config: { text: "x".repeat(3_000) } }))
    copyFileSync(`${filename}-wal`, log)
  }).pipe(Effect.provide(RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))))
  return log
})

const as = (what: HomeLock.Options["what"]) => ({ what, version: "0.1.0" })

const lock = (world: World, what: HomeLock.Options["what"] = "run") =>
  HomeLock.layer(as(what)).pipe(Layer.provideMerge(Home.layerAt(world.home)), Layer.provideMerge(NodeContext.layer))

describe("charlotte doctor", () => {
  it.scoped("reports no problems for a sound setup and creates no files", () =>
    Effect.gen(function* () {
      const world = yield* around
      rmSync(world.home, { recursive: true })
      const before = everything(world.root)
      const { code, err, out } = yield* run(world, "doctor", "--repo", yield* Repository.plain(world))
      expect([code, err]).toEqual([0, ""])
      expect(
        out
          .replace(/[\d.]+ GiB/, "9 GiB")
          .replace(/version [\d.]+\n/, "version 9\n")
          .replace(/SQLite 3[\d.]+/, "SQLite 3")
          .replace(/ and a control group of its own in .*/, "")
      ).toBe(
        `✓ node           Node.js ${process.versions.node}
✓ platform       linux; all processes of a job are found through /proc
✓ git            version 9
✓ sqlite         SQLite 3, better-sqlite3 ${manifest.dependencies["better-sqlite3"]}
✓ home           ${world.home} does not exist yet; it will be created
✓ space          9 GiB free
✓ in use         no
✓ configuration  no ${world.home}/config.yaml; defaults apply
✓ agents         only script, which runs the sh blocks in the tasks
✓ database       none yet
✓ repository     ${world.root}/repository

No problems found.
`
      )
      expect(everything(world.root).filter(([name]) => !name.startsWith("repository"))).toEqual(before)
    })
  )

  it.scoped("reports problems with fixes, without colours in a pipe, and exits with 1", () =>
    Effect.gen(function* () {
      const world = yield* around
      chmodSync(world.home, 0o777)
      const { code, out } = yield* run(world, "doctor", "--repo", yield* Repository.plain(world))
      expect(code).toBe(1)
      expect(out.split("\n").slice(4)).toEqual([
        `✗ home        the home directory ${world.home} can be written by other users, who could have put commands into it`,
        `              → look through it, then close it: chmod 700 ${world.home}`,
        "! skipped     configuration, agents, database and jobs were not checked",
        "              → make the home directory usable, and run this again",
        `✓ repository  ${world.root}/repository`,
        "",
        "1 problem, 1 warning",
        ""
      ])
      expect(out).not.toContain("\x1b")
    })
  )
})

describe("doctor > machine", () => {
  it.scoped("reports a missing /proc or git", () =>
    Effect.gen(function* () {
      const world = yield* around
      const noProc = yield* Effect.provideService(say(world, "platform"), ProcessTableRef, Option.none())
      expect(noProc).toEqual([expect.stringMatching(/^warning: linux, without \/proc: .* → use agents and gates/)])
      const without = { ...world, environment: { ...world.environment, executable: "no-git" } }
      expect(yield* say(without, "git", "--repo", world.root)).toEqual([
        "problem: no-git was not found → install git, or add it to the PATH"
      ])
      expect(yield* say(without, "repository", "--repo", world.root)).toEqual([])
    })
  )
})

describe("doctor > SQLite", () => {
  it.scoped("names the fix when the native module fails, and skips checks that need it", () =>
    Effect.gen(function* () {
      const world = yield* around
      yield* Effect.provide(cutOff(world, 1), database(world))
      const missing = Effect.provideService(DriverRef, "/no/driver")
      expect(yield* missing(say(world, "sqlite"))).toEqual([
        `problem: the native module of better-sqlite3 does not work on Node.js ${process.versions.node} (linux ${process.arch}): Cannot find module '/no/driver' → reinstall charlotte on this machine with the Node.js that runs it (in a checkout: npm ci)`
      ])
      expect(yield* missing(say(world, "database"))).toEqual([])
      expect(yield* missing(say(world, "skipped"))).toEqual([
        "warning: home, configuration, agents, database and jobs were not checked → leave the database where it is, and run this again once SQLite works"
      ])
    })
  )
})

describe("doctor > home directory", () => {
  it.scoped("reports one that others can access, is not a directory, or cannot be created", () =>
    Effect.gen(function* () {
      const world = yield* around
      chmodSync(world.home, 0o755)
      expect(yield* say(world, "home")).toEqual([
        `warning: ${world.home} can be read by other users → chmod 700 ${world.home}`
      ])
      writeFileSync(`${world.home}/photo`, "")
      expect(yield* say(world, "home")).toEqual([
        expect.stringMatching(/^problem: .* contains files that are not Charlotte's.* → choose/)
      ])
      const file = `${world.home}/photo`
      expect(yield* say({ ...world, home: file }, "home")).toEqual([
        `problem: the home directory ${file} is not a directory → move away what is there, or choose another one`
      ])
      expect(yield* say({ ...world, home: "here" }, "home")).toEqual([
        "problem: the home directory here is not an absolute path → give the whole path, beginning with /"
      ])
    })
  )

  it.scoped("reports where it cannot be created", () =>
    Effect.gen(function* () {
      const world = yield* around
      const home = `${world.root}/file/home`
      writeFileSync(`${world.root}/file`, "")
      expect(yield* say({ ...world, home }, "home")).toEqual([
        `problem: the home directory ${home} does not exist and cannot be created in ${world.root}/file → ` +
          "create it, or choose another directory with CHARLOTTE_HOME"
      ])
    })
  )

  it("reports free space and warns when it is low", () => {
    const say = (bytes: number) => {
      const { message, status } = HomeDirectory.space(bytes)
      return `${status}: ${message}`
    }
    expect(say(5.25 * 1024 ** 3)).toBe("ok: 5.3 GiB free")
    expect(say(1024 ** 3 - 1)).toBe("warning: only 1023 MiB free for database, logs and worktrees")
    expect(say(100 * 1024 ** 2 - 1)).toBe("problem: only 99 MiB free for database, logs and worktrees")
  })

  it.scoped("names the process that holds the lock, and does not take the lock itself", () =>
    Effect.gen(function* () {
      const world = yield* around
      const told = yield* Effect.provide(
        Effect.gen(function* () {
          const { isHeld } = yield* HomeLock.HomeLock
          const told = yield* say(world, "in use")
          expect(yield* isHeld).toBe(true)
          expect(yield* Effect.flip(Layer.build(lock(world)))).toMatchObject({ _tag: "HomeBusy" })
          return told
        }),
        lock(world, "daemon")
      )
      expect(told).toEqual([
        expect.stringMatching(/^ok: by charlotte daemon \(pid \d+, version 0\.1\.0\) since 1970-01-01T00:00:00Z$/)
      ])
      expect(yield* say(world, "in use")).toEqual(["ok: no"])
    })
  )

  it.scoped("distinguishes a stale lock note from that of a live process", () =>
    Effect.gen(function* () {
      const world = yield* around
      yield* Effect.provide(
        Effect.sync(() => execFileSync("cp", [`${world.home}/lock.json`, `${world.root}/note`])),
        lock(world)
      )
      execFileSync("cp", [`${world.root}/note`, `${world.home}/lock.json`])
      const kernel = { ...(yield* KernelRef), isAlive: () => Effect.succeed(false) }
      expect(yield* Effect.provideService(say(world, "in use"), KernelRef, kernel)).toEqual([
        expect.stringMatching(/^warning: no; charlotte run \(pid \d+, .* was killed, .* → none needed: the next/)
      ])
      writeFileSync(`${world.home}/lock.json`, "{")
      expect(yield* say(world, "in use")).toEqual(["ok: no"])
    })
  )
})

describe("doctor > configuration and agents", () => {
  it.scoped("lists all problems of config.yaml with line numbers", () =>
    Effect.gen(function* () {
      const world = yield* around
      writeFileSync(`${world.home}/config.yaml`, "maxJobs: 0\nagents:\n  mine: { prompt: stdin }\nagent: mine\n")
      const told = yield* say(world, "configuration")
      expect(told.map((line) => /config\.yaml:(\d+): /.exec(line)?.[1])).toEqual(["1", "3", "4"])
      for (const line of told) expect(line).toMatch(/^problem: .* → /)
      expect(yield* say(world, "agents")).toEqual([])
    })
  )

  it.scoped("lists installed agents and configured ones that are missing", () =>
    Effect.gen(function* () {
      const world = yield* around
      writeFileSync(`${world.bin}/claude`, "#!/bin/sh\n", { mode: 0o755 })
      writeFileSync(
        `${world.home}/config.yaml`,
        "agents:\n  mine: { command: [my-agent] }\n  other: { command: [/no/such, -x] }\n"
      )
      expect(yield* say(world, "configuration")).toEqual([`ok: ${world.home}/config.yaml`])
      expect(yield* say(world, "agents")).toEqual([
        "ok: claude, script",
        expect.stringMatching(
          /^warning: agent "mine" needs the command my-agent, which is not on the PATH → install it, /
        ),
        expect.stringMatching(/^warning: agent "other" needs the command \/no\/such, which does not exist/)
      ])
    })
  )
})

describe("doctor > database", () => {
  it.scoped("reports one that is sound, corrupt, of another version, or foreign", () =>
    Effect.gen(function* () {
      const world = yield* around
      const file = `${world.home}/charlotte.db`
      yield* Effect.provide(Effect.void, database(world))
      expect(yield* say(world, "database")).toEqual([expect.stringMatching(/^ok: .*, version \d+, undamaged$/)])
      expect(yield* say(world, "jobs")).toEqual(["ok: none unfinished"])
      const change = (sql: string) =>
        Effect.sync(() =>
          execFileSync(process.execPath, ["-e", `require("better-sqlite3")(${JSON.stringify(file)}).exec("${sql}")`])
        )
      yield* change(
        "UPDATE charlotte_migrations SET migration_id = 99 WHERE migration_id = (SELECT max(migration_id) FROM charlotte_migrations)"
      )
      expect(yield* say(world, "database")).toEqual([
        expect.stringMatching(
          /^problem: .*, version 99; this charlotte supports up to \d+ → install a newer charlotte$/
        )
      ])
      expect(yield* say(world, "jobs")).toEqual([])
      yield* change("DELETE FROM charlotte_migrations WHERE migration_id > 1")
      expect(yield* say(world, "database")).toEqual([
        expect.stringMatching(
          /^problem: .*, version \d+, but its tables are newer → restore it from a backup, or move it away to start afresh$/
        )
      ])
      const whole = readFileSync(file)
      const backup = yield* TemporaryDirectory.file("backup.db")
      yield* change(`VACUUM INTO '${backup}'`)
      yield* change("INSERT INTO charlotte_migrations (migration_id, name) VALUES (8, 'filters')")
      expect(yield* say(world, "database")).toEqual([
        expect.stringMatching(
          /^problem: the database was made by a development version of Charlotte .* → export its jobs with that version, or move it away to start afresh$/
        )
      ])
      rmSync(file)
      yield* change(
        "CREATE TABLE charlotte_migrations (migration_id INTEGER PRIMARY KEY, name TEXT); INSERT INTO charlotte_migrations VALUES (0, 'x')"
      )
      expect(yield* say(world, "database")).toEqual([
        expect.stringMatching(/^warning: .*; jobs cannot be checked before it is migrated to version/)
      ])
      writeFileSync(file, whole.fill(0x55, 4_096 + 8, 3 * 4_096))
      expect(yield* say(world, "database")).toEqual([
        expect.stringMatching(
          /^problem: .* is damaged: [^]* → restore it from a backup, or move it away to start afresh$/
        )
      ])
      writeFileSync(file, "dear diary\n".repeat(1_000))
      expect(yield* say(world, "database")).toEqual([
        `problem: ${file} is damaged: file is not a database → restore it from a backup, or move it away to start afresh`
      ])
      copyFileSync(backup, file)
      copyFileSync(yield* foreignLog, `${file}-wal`)
      // SQLite reads a log with the help of a file that it leaves beside it.
      const { out } = yield* run(world, "doctor")
      expect(out).toContain(`if ${file} was restored from a backup, move away ${file}-wal and ${file}-shm`)
      rmSync(file)
      mkdirSync(file)
      expect(yield* say(world, "database")).toEqual([expect.stringMatching(/^problem: cannot be read: .* → make it/)])
    })
  )

  it.scoped("lists interrupted and running jobs", () =>
    Effect.gen(function* () {
      const world = yield* around
      const work = Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const interrupted = yield* cutOff(world, 1)
        yield* store.record({ type: "job.interrupted", jobId: interrupted, attempt: 1, at: newRun(1).at })
        const cut = yield* cutOff(world, 2)
        const stopping = yield* cutOff(world, 3)
        yield* store.record({ type: "job.stopping", jobId: stopping, attempt: 1, at: newRun(3).at })
        const inWork = yield* Effect.provide(say(world, "jobs"), lock(world))
        expect(inWork).toEqual([
          `warning: ${interrupted} was interrupted → charlotte resume ${interrupted}`,
          `ok: ${cut} is running`,
          `ok: ${stopping} is stopping`
        ])
        return [
          `warning: ${interrupted} was interrupted → charlotte resume ${interrupted}`,
          `warning: ${cut} was interrupted by a crash → charlotte resume ${cut}`,
          `ok: ${stopping} was being stopped; the next command ends it`
        ]
      })
      const left = yield* Effect.provide(work, database(world))
      expect(yield* say(world, "jobs")).toEqual(left)
      yield* Effect.provide(
        Effect.forEach([4, 5, 6, 7, 8, 9, 10, 11], (n) => cutOff(world, n)),
        database(world)
      )
      const many = yield* say(world, "jobs")
      expect([many.length, many.at(-1)]).toEqual([11, "ok: and more"])
    })
  )
})

describe("doctor > agents", () => {
  it.scoped("names those that are at a limit, and tasks at which they get no answer, since when and until when", () =>
    Effect.gen(function* () {
      const world = yield* around
      const job = yield* Effect.gen(function* () {
        const { agentLimits } = yield* RunStore.RunStore
        const jobId = yield* cutOff(world, 1)
        const at = (time: string) => DateTime.unsafeMake(`1970-01-01T${time}Z`)
        const limit = new AgentLimit({
          agent: "claude",
          reason: "limit reached",
          since: at("00:05:00"),
          until: at("09:00:00"),
          refusals: 0
        })
        yield* agentLimits.record({ jobId, attempt: 1, limit })
        const task = { jobId, agent: "codex", unit: "api", task: 2, wording: "x", answeredSince: false }
        const streak = (turns: number, task_: Partial<TurnStreak> = {}) =>
          new TurnStreak({ ...task, kind: "unanswered", turns, reason: "odd", at: at("01:00:00"), ...task_ })
        yield* agentLimits.recordStreak({ attempt: 1, streak: streak(3) })
        yield* agentLimits.recordStreak({ attempt: 1, streak: streak(2, { task: 3 }) })
        return jobId
      }).pipe(Effect.provide(database(world)))
      const remedy = "none needed: it is tried then; charlotte resume JOB tries it now"
      const found = yield* Effect.provide(say(world, "agents"), DateTime.layerCurrentZoneNamed("UTC"))
      expect(found.slice(1)).toEqual([
        `warning: claude is at its usage limit: limit reached; since 1970-01-01 00:05:00, until 1970-01-01 09:00:00 → ${remedy}`,
        `warning: codex got no answer from its model 3 times in a row: odd; no attempt used, at task 2 of unit api of ${job}; ` +
          `last at 1970-01-01 01:00:00, waits until it is tried again at 1970-01-01 01:05:00 → ${remedy}`
      ])
    })
  )
})

describe("doctor > repository", () => {
  it.scoped("lists what would prevent a job", () =>
    Effect.gen(function* () {
      const world = yield* around
      const top = yield* Repository.plain(world)
      yield* world.git(top, "config", "user.name", "")
      yield* world.git(top, "branch", "charlotte")
      yield* world.write(`${top}/.git/MERGE_HEAD`, `${yield* world.git(top, "rev-parse", "HEAD")}`)
      const told = yield* say(world, "repository", "--repo", top)
      expect(told.map((line) => line.slice(0, line.indexOf(" → ")))).toEqual([
        `problem: git does not know who commits in ${top}`,
        `problem: a merge is in progress in ${top}`,
        'problem: a branch named "charlotte" leaves no room for branches below it'
      ])
    })
  )

  it.scoped("names a home inside the repository, there already or not", () =>
    Effect.gen(function* () {
      const world = yield* around
      const top = yield* Repository.plain(world)
      for (const home of [`${top}/.charlotte`, `${top}/.git/charlotte`]) {
        const expected = [
          `problem: ${home}/worktrees lies inside ${top} → set CHARLOTTE_HOME to a directory outside the repository`
        ]
        expect(yield* say({ ...world, home }, "repository", "--repo", top)).toEqual(expected)
        mkdirSync(home, { mode: 0o700 })
        expect(yield* say({ ...world, home }, "repository", "--repo", top)).toEqual(expected)
      }
    })
  )

  it.scoped("names a branch that is checked out twice, seen from either checkout", () =>
    Effect.gen(function* () {
      const world = yield* around
      const top = yield* Repository.plain(world)
      const again = `${world.root}/again`
      yield* world.git(top, "worktree", "add", "--quiet", "--force", again, "main")
      for (const place of [top, again])
        expect(yield* say(world, "repository", "--repo", place)).toEqual([
          expect.stringMatching(
            /^problem: the branch main is checked out in .* and .* → switch one of them to another branch: git -C .* switch --detach$/
          )
        ])
    })
  )

  it.scoped("asks only for a branch in a detached checkout", () =>
    Effect.gen(function* () {
      const world = yield* around
      const top = yield* Repository.plain(world)
      yield* world.git(top, "switch", "--quiet", "--detach")
      symlinkSync(top, `${world.root}/link`)
      expect(yield* say(world, "repository", "--repo", `${world.root}/link`)).toEqual([
        expect.stringMatching(/^warning: HEAD is detached, .* → check one out with: git switch NAME$/)
      ])
    })
  )

  it.scoped("refuses a path that is not a repository", () =>
    Effect.gen(function* () {
      const world = yield* around
      expect(yield* say(world, "repository", "--repo", world.root)).toEqual([
        expect.stringMatching(/^problem: .* is not the working tree of a git repository: .* → give the path/)
      ])
    })
  )
})
