/** The home directory: what is made, what is taken as it is, and what is refused. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import * as Home from "../../../src/daemon/home/Home.js"
import { bundle } from "../../support/bundle.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

const open = (directory: string) => Effect.provide(Home.Home, Home.layerAt(directory)).pipe(provideNode)

const provideNode = Effect.provide(NodeContext.layer)

/** What is said of a directory that cannot be used. */
const refusal = (directory: string) => Effect.map(Effect.flip(open(directory)), ({ message }) => message)

const nobody = 65_534

const mode = (path: string) => statSync(path).mode & 0o777

/** A directory with that mode and these files. */
const made = (mode: number, ...files: ReadonlyArray<string>) =>
  Effect.tap(TemporaryDirectory.file("home"), (home) =>
    Effect.sync(() => {
      mkdirSync(home)
      for (const file of files) writeFileSync(`${home}/${file}`, "")
      chmodSync(home, mode)
    })
  )

describe("Home.layerAt", () => {
  it.scoped("makes the directory and its parents, with mode 0700", () =>
    Effect.gen(function* () {
      const home = yield* TemporaryDirectory.file("a/b")
      const { directory, ...paths } = yield* open(home)
      expect(directory).toBe(home)
      expect(paths).toEqual({
        config: `${home}/config.yaml`,
        database: `${home}/charlotte.db`,
        databaseNote: `${home}/database.json`,
        exportNote: `${home}/exported.json`,
        logs: `${home}/logs`,
        log: `${home}/logs/daemon.log`,
        worktrees: `${home}/worktrees`,
        lock: `${home}/lock`,
        holder: `${home}/lock.json`,
        socket: `${home}/socket`,
        token: `${home}/token`,
        sessions: `${home}/sessions.json`
      })
      expect([mode(home), mode(dirname(home))]).toEqual([0o700, 0o700])
      expect(readdirSync(home)).toEqual([])
      expect(yield* open(home)).toEqual({ directory, ...paths })
    })
  )

  it.scoped("closes a directory that other users can read, if it is empty or Charlotte's", () =>
    Effect.gen(function* () {
      for (const files of [[], ["config.yaml"], ["charlotte.db", "other"], ["lock"]]) {
        const home = yield* made(0o755, ...files)
        yield* open(home)
        expect(mode(home)).toBe(0o700)
      }
    })
  )

  it.scoped(
    "refuses a directory of something else that is open to others, leaves it so, and does not advise to close it",
    () =>
      Effect.gen(function* () {
        for (const wide of [0o755, 0o777]) {
          const home = yield* made(wide, "photos")
          expect(yield* refusal(home)).toBe(
            `the home directory ${home} is open to other users, and contains files that are not Charlotte's; ` +
              "choose an empty one with CHARLOTTE_HOME"
          )
          expect(mode(home)).toBe(wide)
          chmodSync(home, 0o700)
          expect((yield* open(home)).directory).toBe(home)
        }
      })
  )

  it.scoped("refuses a directory that other users can write", () =>
    Effect.gen(function* () {
      for (const wide of [0o770, 0o702, 0o777]) {
        const home = yield* made(wide)
        expect(yield* refusal(home)).toContain("can be written by other users, who could have put commands into it")
        expect(mode(home)).toBe(wide)
      }
    })
  )

  it.scoped("refuses a directory of another user", () =>
    Effect.gen(function* () {
      // Only root can give a directory away; everybody else finds one of root's.
      const isRoot = process.geteuid?.() === 0
      const home = isRoot ? yield* made(0o700) : "/usr"
      if (isRoot) chownSync(home, 12_345, 12_345)
      const message = yield* refusal(home)
      expect(message).toContain(`the home directory ${home} belongs to user ${isRoot ? 12_345 : 0}`)
      expect(message).toContain(`this program runs as user ${process.geteuid?.()}`)
    })
  )

  it.scoped("refuses a path that is not a directory", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      writeFileSync(`${directory}/file`, "")
      symlinkSync("nowhere", `${directory}/dangling`)
      execFileSync("mkfifo", [`${directory}/pipe`])
      for (const name of ["file", "pipe"]) {
        expect(yield* refusal(`${directory}/${name}`)).toContain(`${name} is not a directory`)
      }
      expect(yield* refusal(`${directory}/dangling`)).toContain("cannot be used: ")
      expect(readdirSync(directory).sort()).toEqual(["dangling", "file", "pipe"])
    })
  )

  it.scoped("refuses a path with a control character, also behind a symbolic link", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      mkdirSync(`${directory}/a\tb`)
      symlinkSync("a\tb", `${directory}/link`)
      for (const name of ["a\0b", "a\nb", "a\x7fb", "a\x9bb", "link"]) {
        expect(yield* refusal(`${directory}/${name}`)).toContain("has a control character in its path; rename it, or ")
      }
    })
  )

  it.scoped("refuses a directory that cannot be made", () =>
    Effect.gen(function* () {
      const above = yield* TemporaryDirectory.make
      writeFileSync(`${above}/file`, "")
      expect(yield* refusal(`${above}/file/home`)).toBe(
        `the home directory ${above}/file/home does not exist and cannot be created in ${above}/file; ` +
          "create it, or choose another directory with CHARLOTTE_HOME"
      )
      // Root finds out only by trying.
      expect(yield* refusal("/proc/charlotte/home")).toMatch(
        / cannot be (used: .*|created in \/proc; create it, or )choose another/
      )
    })
  )

  it.effect("refuses a relative path", () =>
    Effect.gen(function* () {
      for (const path of ["home", "./home", "~/home", "~"]) {
        expect(yield* refusal(path)).toBe(
          `the home directory ${path} is not an absolute path; give the whole path, beginning with /`
        )
      }
    })
  )

  it.scoped("refuses a directory that cannot be written, and leaves it unchanged", () =>
    Effect.gen(function* () {
      const home = yield* made(0o555)
      const program = yield* bundle(dirname(home), fileURLToPath(new URL("opening.ts", import.meta.url)))
      // Root can write everywhere but on what is mounted read-only, so it is somebody else who cannot.
      const isRoot = process.geteuid?.() === 0
      if (isRoot) {
        chmodSync(dirname(home), 0o755)
        chownSync(home, nobody, nobody)
      }
      const said = execFileSync(process.execPath, [program, home], {
        encoding: "utf8",
        ...(isRoot ? { uid: nobody, gid: nobody } : {})
      })
      expect(said).toContain(`the home directory ${home} cannot be written`)
      expect(mode(home)).toBe(0o555)
    })
  )

  it.scoped("resolves a symbolic link", () =>
    Effect.gen(function* () {
      const home = yield* made(0o755)
      const link = yield* TemporaryDirectory.file("link")
      symlinkSync(home, link)
      expect((yield* open(link)).directory).toBe(realpathSync(home))
      expect(mode(home)).toBe(0o700)
    })
  )
})

describe("Home.layer", () => {
  const configured = (variables: Record<string, string>) =>
    Effect.provide(Home.Home, Home.layer).pipe(
      provideNode,
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))
    )

  it.scoped("is CHARLOTTE_HOME, or .charlotte in the user's home", () =>
    Effect.gen(function* () {
      const user = yield* TemporaryDirectory.make
      const own = yield* TemporaryDirectory.file("own")
      expect((yield* configured({ HOME: user, CHARLOTTE_HOME: own })).directory).toBe(own)
      expect(readdirSync(user)).toEqual([])
      // One that is empty says nothing.
      expect((yield* configured({ HOME: user, CHARLOTTE_HOME: "" })).directory).toBe(`${user}/.charlotte`)
      expect((yield* configured({ HOME: user })).directory).toBe(`${user}/.charlotte`)
      expect((yield* Effect.flip(configured({ HOME: user, CHARLOTTE_HOME: "own" }))).message).toContain("absolute")
    })
  )

  it.effect("fails with what to do when HOME is not set", () =>
    Effect.gen(function* () {
      for (const variables of [{}, { HOME: "" }]) {
        expect((yield* Effect.flip(configured(variables))).message).toContain("set CHARLOTTE_HOME to an absolute path")
      }
    })
  )
})
