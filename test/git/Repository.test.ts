import { expect, it } from "@effect/vitest"
import { Array, Duration, Effect, Fiber, Option, Schedule } from "effect"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { cp, mkdir, rename, rm, symlink } from "node:fs/promises"
import { plain, sandbox } from "../support/Repository.js"
import { branch, scenario, serviceOf } from "./Scenario.js"

scenario("symlink, .., trailing slash, a directory in it, a linked worktree: one repository", (world) =>
  Effect.gen(function* () {
    const { repository, service, top } = world
    yield* Effect.promise(() => symlink(top, `${world.root}/link`))
    const linked = `${world.root}/linked`
    yield* world.git(top, "worktree", "add", "--quiet", "--detach", linked, "main")
    for (const path of [
      `${top}/`,
      `${top}//`,
      `${top}/dir`,
      `${top}/dir/..`,
      `${top}/../repository`,
      `${world.root}/link`,
      `${world.root}/link/dir/../`,
      linked
    ]) {
      const opened = yield* service.open(path)
      expect(opened.identity, path).toBe(repository.identity)
      expect(opened.commonDir).toBe(`${top}/.git`)
      expect(opened.topLevel).toBe(path === linked ? linked : top)
    }
    yield* world.git(top, "worktree", "remove", linked)
    const other = yield* service.open(yield* plain(world, "another"))
    expect(other.identity).not.toBe(repository.identity)
  })
)

scenario(
  "a repository is identified by an id that it contains, whichever machine has made it; a copy of it is another one",
  (world) =>
    Effect.gen(function* () {
      const { service } = world
      const path = yield* plain(world, "shared")
      const { dev, ino } = statSync(`${path}/.git`)
      const file = `${path}/.git/charlotte-id.${ino}`
      expect((yield* service.open(path)).identity, "an opened repository is left as it is").toBe(`${dev}:${ino}`)
      expect(existsSync(file)).toBe(false)
      const all = yield* Effect.all(
        Array.makeBy(8, () => Effect.flatMap(service.open(path), service.identify)),
        { concurrency: "unbounded" }
      )
      const [id] = all
      expect(id).toMatch(/^[0-9a-f]{32}$/)
      expect(new Set(all).size).toBe(1)
      expect(readFileSync(file, "utf8")).toBe(`${id}\n`)
      expect(readdirSync(`${path}/.git`).filter((name) => name.startsWith("charlotte"))).toEqual([
        `charlotte-id.${ino}`
      ])

      const ofAnother = "0123456789abcdef".repeat(2)
      yield* world.write(file, `${ofAnother}\n`)
      expect((yield* service.open(path)).identity).toBe(ofAnother)

      yield* Effect.promise(() => cp(path, `${world.root}/copy`, { recursive: true }))
      const copy = yield* service.open(`${world.root}/copy`)
      expect(yield* service.identify(copy)).toMatch(/^[0-9a-f]{32}$/)
      expect(yield* service.identify(copy)).not.toBe(ofAnother)

      yield* Effect.promise(() => rm(file))
      yield* Effect.promise(() => mkdir(file))
      const opened = yield* service.open(path)
      expect(yield* service.identify(opened), "no id can be written").toBe(`${dev}:${ino}`)
    })
)

scenario("what is no working tree is refused with its reason", (world) =>
  Effect.gen(function* () {
    const { service, top } = world
    yield* world.git(world.root, "clone", "--quiet", "--bare", top, "bare.git")
    yield* Effect.promise(() => mkdir(`${world.root}/empty`))
    const reason = (path: string) =>
      Effect.map(Effect.flip(service.open(path)), (error) =>
        error._tag === "NotARepository" ? error.reason : error._tag
      )
    expect(yield* reason(`${world.root}/none`)).toBe("it does not exist")
    expect(yield* reason(`${top}/a.txt`)).toBe("it is not a directory")
    expect(yield* reason(`${world.root}/empty`)).toContain("not a git repository")
    expect(yield* reason(`${world.root}/bare.git`)).toBe("it is a bare repository, without files")
    expect(yield* reason(`${top}/.git/refs`)).toBe("it is inside a git directory")
    expect(yield* reason("repository")).toBe("the path is not absolute")
  })
)

scenario("a repository that took the place of another one is not touched", (world) =>
  Effect.gen(function* () {
    const { repository, service, top } = world
    yield* Effect.promise(() => cp(`${top}/.git`, `${world.root}/copy`, { recursive: true }))
    yield* Effect.promise(() => rename(`${top}/.git`, `${world.root}/original`))
    yield* Effect.promise(() => rename(`${world.root}/copy`, `${top}/.git`))
    const error = yield* Effect.flip(service.createBranch(repository, branch("u"), world.main))
    expect(error).toMatchObject({ _tag: "NotARepository", path: top })
    expect(yield* world.git(top, "branch", "--list", "charlotte/*")).toBe("")
    yield* Effect.promise(() => rm(`${top}/.git`, { recursive: true }))
    yield* Effect.promise(() => rename(`${world.root}/original`, `${top}/.git`))
  })
)

scenario("who commits is read from the user's configuration, and nothing is guessed", (world) =>
  Effect.gen(function* () {
    expect(world.repository.author).toEqual(Option.some({ name: "Ada Lovelace", email: "ada@example.com" }))
    yield* world.write(`${world.root}/home/.gitconfig`, "[user]\n\tname = Ada\n")
    const opened = yield* world.service.open(world.top)
    expect(opened.author).toEqual(Option.none())
    expect(yield* world.service.problems(opened)).toMatchObject([{ kind: "identity" }])
  })
)

const fake = (version: string) => `#!/bin/sh\necho "git version ${version}"\n`

it.scopedLive("git is missing, too old, or new enough", () =>
  Effect.gen(function* () {
    const world = yield* sandbox
    const top = yield* plain(world)
    const with_ = (path: string) => serviceOf(world, { variables: { ...world.environment.variables, PATH: path } })
    const missing = yield* with_(`${world.root}/nowhere:relative`)
    expect(yield* Effect.flip(missing.open(top))).toMatchObject({ _tag: "GitMissing", executable: "git" })
    for (const [version, isOld] of [
      ["1.9.5", true],
      ["2.37.9", true],
      ["2.38.0", false],
      ["2.39.5 (Apple Git-154)", false],
      ["3.0.0-rc1", false]
    ] as const) {
      yield* world.write(`${world.root}/bin/git`, fake(version), 0o755)
      const service = yield* with_(`${world.root}/bin`)
      const asked = yield* Effect.either(service.version)
      expect(asked._tag, version).toBe(isOld ? "Left" : "Right")
      if (asked._tag === "Left") expect(asked.left.message).toBe(`git ${version} is too old; install git 2.38 or newer`)
    }
  })
)

it.scopedLive("git is looked for in absolute places only, never where a command runs", () =>
  Effect.gen(function* () {
    const world = yield* sandbox
    const top = yield* plain(world)
    yield* world.write(`${top}/git`, `#!/bin/sh\ntouch ${world.root}/ran\n`, 0o755)
    const PATH = `.::${world.environment.variables["PATH"] ?? ""}`
    const service = yield* serviceOf(world, { variables: { ...world.environment.variables, PATH } })
    yield* service.open(top)
    expect(existsSync(`${world.root}/ran`)).toBe(false)
  })
)

/** Whether a process runs no program any more: it has ended, or the kernel is just clearing it away. */
const isOver = (pid: number) => {
  if (isGone(pid)) return true
  try {
    const [, , , , , , flags = "0"] = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\)/s, "").trim().split(" ")
    return (Number(flags) & 4) !== 0
  } catch {
    return !alive(pid)
  }
}

/** Whether a process has ended, be it that nobody has waited for it yet. */
const isGone = (pid: number) => {
  try {
    return /^\S+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return !alive(pid)
  }
}

const alive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** A git that ignores to be asked, starts another process, says who the two are, and does not end. */
const stubborn = (root: string) =>
  `#!/bin/sh
trap '' TERM INT HUP
sleep 600 &
echo $$ $! > ${root}/pids.part
mv ${root}/pids.part ${root}/pids
while :; do sleep 0.05; done
`

it.scopedLive("interruption ends git with all that it started, and waits for that", () =>
  Effect.gen(function* () {
    const world = yield* sandbox
    yield* world.write(`${world.root}/bin/git`, stubborn(world.root), 0o755)
    const variables = { ...world.environment.variables, PATH: `${world.root}/bin:/usr/bin:/bin` }
    const service = yield* serviceOf(world, { variables })
    const fiber = yield* Effect.fork(service.version)
    yield* Effect.sync(() => existsSync(`${world.root}/pids`)).pipe(
      Effect.repeat({ until: (is) => is, schedule: Schedule.spaced("10 millis") }),
      Effect.timeout("2 minutes")
    )
    const pids = readFileSync(`${world.root}/pids`, "utf8").split(" ").map(Number)
    expect(pids.map(alive)).toEqual([true, true])
    const [elapsed] = yield* Effect.timed(Fiber.interrupt(fiber))
    expect(isOver(pids[0] ?? 0)).toBe(true)
    expect(Duration.toMillis(elapsed)).toBeLessThan(30_000)
    // The second was killed too; who inherits it may take a moment to notice.
    yield* Effect.sync(() => isGone(pids[1] ?? 0)).pipe(
      Effect.repeat({ until: (is) => is, schedule: Schedule.spaced("10 millis") }),
      Effect.timeout("2 minutes")
    )
  })
)

it.scopedLive("a git that does not end is ended after its limit", () =>
  Effect.gen(function* () {
    const world = yield* sandbox
    yield* world.write(`${world.root}/bin/git`, stubborn(world.root), 0o755)
    const variables = { ...world.environment.variables, PATH: `${world.root}/bin:/usr/bin:/bin` }
    const service = yield* serviceOf(world, { variables, limit: Duration.millis(300) })
    const error = yield* Effect.flip(service.version)
    expect(error.message).toContain("it took longer than 300ms and was ended")
  })
)
