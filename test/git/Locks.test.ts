import { expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Schedule, type Scope } from "effect"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { utimes } from "node:fs/promises"
import { worksIn } from "../../src/git/LockHolders.js"
import { plain, sandbox } from "../support/Repository.js"
import {
  branch,
  enter,
  mainBranch,
  pathIn,
  scenario,
  serviceOf,
  subject,
  work,
  worktree,
  type World
} from "./Scenario.js"

/** Ends a process with all that it started, and waits for that. */
const kill = (child: ChildProcess) =>
  Effect.async<void>((resume) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    process.kill(-child.pid, "SIGKILL")
  })

/** A process that lives until the test ends, or until it ends itself. */
const running = (command: string, args: ReadonlyArray<string>, options?: { cwd?: string; env?: NodeJS.ProcessEnv }) =>
  Effect.acquireRelease(
    Effect.sync(() => spawn(command, args, { stdio: "ignore", detached: true, ...options })),
    kill
  )

const until = (condition: () => boolean) =>
  Effect.sync(condition).pipe(
    Effect.repeat({ until: (is) => is, schedule: Schedule.spaced("5 millis") }),
    Effect.timeout("2 minutes"),
    Effect.asVoid
  )

/** A process that holds a lock for a while. */
const holding = (file: string, seconds: number): Effect.Effect<ChildProcess, never, Scope.Scope> =>
  Effect.tap(running("sh", ["-c", 'exec 9> "$1"; exec sleep "$2"', "sh", file, String(seconds)]), () =>
    Effect.orDie(until(() => existsSync(file)))
  )

const create = ({ main, repository, service }: World, name: string) =>
  service.createBranch(repository, branch(name), main)

scenario("a lock of a process that is dead is removed, be it old or fresh", (world) =>
  Effect.gen(function* () {
    const { repository, service, top } = world
    const tree = yield* worktree(world, "u")
    const [config, index, head] = [`${top}/.git/config.lock`, `${tree.clone}/index.lock`, `${tree.clone}/HEAD.lock`]
    for (const file of [config, index]) {
      yield* world.write(file, "")
      yield* Effect.promise(() => utimes(file, 1, 1))
    }
    yield* world.write(head, "")
    yield* world.write(`${tree.path}/new.txt`, "new\n")
    yield* service.commit(repository, tree, subject("new"))
    expect([config, index, head].filter(existsSync)).toEqual([])
    expect(yield* world.git(tree.path, "status", "--porcelain")).toBe("")
    for (const name of ["packed-refs.lock", `refs/heads/charlotte/x.lock`])
      yield* world.write(`${top}/.git/${name}`, "")
    yield* create(world, "v")
    yield* world.write(`${top}/.git/refs/heads/${branch("w")}.lock`, "")
    yield* create(world, "w")
  })
)

scenario("a config.lock that a live process holds for 500 ms is waited for", (world) =>
  Effect.gen(function* () {
    const [file, go] = [`${world.top}/.git/config.lock`, `${world.root}/go`]
    const script = 'exec 9> "$1"; until [ -e "$2" ]; do sleep 0.01; done; rm "$1"'
    yield* running("sh", ["-c", script, "sh", file, go])
    yield* until(() => existsSync(file))
    const creating = yield* Effect.fork(create(world, "u"))
    yield* Effect.sleep("500 millis")
    expect(creating.unsafePoll()).toBeNull()
    yield* world.write(go, "")
    yield* Fiber.join(creating)
    expect(existsSync(file)).toBe(false)
  })
)

scenario("a lock that a live process keeps is named with its holder, and left alone however old it is", (world) =>
  Effect.gen(function* () {
    const file = `${world.top}/.git/config.lock`
    const holder = yield* holding(file, 600)
    yield* Effect.promise(() => utimes(file, 1, 1))
    const service = yield* serviceOf(world, { patience: Duration.millis(600) })
    const error = yield* Effect.flip(create({ ...world, service }, "u"))
    expect(error).toMatchObject({ _tag: "Locked", file, holders: [{ pid: holder.pid }] })
    expect(error.message).toContain(`(pid ${holder.pid}); let it finish, or end it`)
    expect(existsSync(file)).toBe(true)
    expect(yield* world.service.ownBranches(world.repository)).toEqual([])
    // As soon as the holder is dead, so is the lock.
    yield* kill(holder)
    yield* create(world, "u")
    expect(existsSync(file)).toBe(false)
  })
)

it.live("a git that just ends elsewhere is not taken for a holder, also where this user is not root", () =>
  Effect.promise(async () => {
    for (let i = 0; i < 100; i++) {
      const child = spawn("git", ["version"], { stdio: "ignore", cwd: "/" })
      const ended = once(child, "exit")
      let isOver = false
      void ended.then(() => (isOver = true))
      while (!isOver)
        expect(await worksIn(String(child.pid), "git", ["/nowhere"], { uid: process.getuid?.() ?? 0 })).toBe(false)
    }
  })
)

it.scopedLive("a lock that git holds while an editor is open is open nowhere, and still alive", () =>
  Effect.gen(function* () {
    const box = yield* sandbox
    const world = yield* enter(box, yield* plain(box), { patience: Duration.millis(600) })
    const { main, repository, service, top } = world
    const done = yield* work(world, "u", { "new.txt": "new\n" })
    const lock = `${top}/.git/index.lock`
    yield* box.write(`${box.root}/editor`, "#!/bin/sh\nexec sleep 600\n", 0o755)
    yield* box.write(`${top}/a.txt`, "changed\n")
    const env = { ...box.environment.variables, GIT_EDITOR: `${box.root}/editor` }
    const user = yield* running("git", ["commit", "--quiet", "a.txt"], { cwd: top, env })
    yield* until(() => existsSync(lock) && existsSync(`${top}/.git/COMMIT_EDITMSG`))
    yield* Effect.promise(() => utimes(lock, 1, 1))
    const error = yield* Effect.flip(service.advance(repository, mainBranch, { from: main, to: done }))
    expect(error).toMatchObject({ _tag: "Locked", file: lock })
    expect(error._tag === "Locked" && error.holders.map(({ pid }) => pid)).toContain(user.pid)
    expect(existsSync(lock)).toBe(true)
    expect(yield* service.resolve(repository, mainBranch)).toBe(main)
    yield* kill(user)
    yield* service.advance(repository, mainBranch, { from: main, to: done })
    expect(yield* service.resolve(repository, mainBranch)).toBe(done)
  })
)

scenario("an index.lock that appears between the look and the command is waited for", (world) =>
  Effect.gen(function* () {
    const { main, repository, service, top } = world
    // A git whose `worktree` finds a lock that it did not find before.
    const lock = `${top}/.git/index.lock`
    const script = `#!/bin/sh
case "$1" in
  worktree)
    if [ "$2" = add ] && [ ! -e ${world.root}/once ]; then
      touch ${world.root}/once ${lock}
      echo "fatal: Unable to create '${lock}': File exists." >&2
      exit 128
    fi ;;
esac
exec "$REAL" "$@"
`
    yield* world.write(`${world.root}/bin/git`, script, 0o755)
    const real = execFileSync("which", ["git"]).toString().trim()
    const shim = yield* serviceOf(world, {
      executable: `${world.root}/bin/git`,
      variables: { ...world.environment.variables, REAL: real }
    })
    const tree = yield* shim.addWorktree(repository, {
      path: pathIn(world, "u"),
      branch: branch("u"),
      from: main
    })
    expect(existsSync(lock)).toBe(false)
    expect(yield* service.status(repository, tree)).toMatchObject({ commit: main, changed: [] })
  })
)

scenario("a branch of ours whose git has to be killed in the midst of moving it is left without its lock", (world) =>
  Effect.gen(function* () {
    const lock = `${world.top}/.git/refs/heads/${branch("u")}.lock`
    // It has made its lock, and does not hear what it is told.
    const stuck = `mkdir -p "$(dirname '${lock}')" && : > '${lock}' && trap '' TERM && while :; do sleep 0.1; done`
    yield* world.write(
      `${world.root}/bin/git`,
      `#!/bin/sh\ncase "$1" in update-ref) ${stuck};; esac\nexec git "$@"\n`,
      0o755
    )
    const stubborn = yield* enter(world, world.top, { executable: `${world.root}/bin/git` })
    const making = yield* Effect.fork(create(stubborn, "u"))
    yield* until(() => existsSync(lock))
    yield* Fiber.interrupt(making)
    expect(existsSync(lock)).toBe(false)
    yield* create(world, "u")
  })
)
