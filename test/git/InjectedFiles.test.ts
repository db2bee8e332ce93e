import { expect } from "@effect/vitest"
import { Effect, Option } from "effect"
import { execFileSync } from "node:child_process"
import { lstatSync, readdirSync, readFileSync } from "node:fs"
import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises"
import { RepoPath } from "../../src/git/RefNames.js"
import { close, scenario, subject, work, type World, worktree } from "./Scenario.js"

const file = RepoPath.make("tasks/01-first.md")
const pending = "status: pending\n"
const complete = "status: complete\n"

/** A commit with two task files, one of them made executable. */
const tasks = (world: World) =>
  Effect.gen(function* () {
    const tree = yield* worktree(world, "tasks")
    yield* world.write(`${tree.path}/${file}`, pending)
    yield* world.write(`${tree.path}/tasks/run.md`, pending, 0o755)
    return (yield* world.service.commit(world.repository, tree, subject("Tasks"))).commit
  })

/** What the worktree is made into; the service puts the task file, and the commit and the worktree must hold it. */
const wins = (name: string, make: (path: string, world: World) => Promise<unknown>, replaced = true) =>
  scenario(`a file that is put is in the commit and in the worktree, although it was ${name}`, (world) =>
    Effect.gen(function* () {
      const { repository, service } = world
      const base = yield* tasks(world)
      const tree = yield* worktree(world, "u", base)
      yield* world.write(`${world.root}/outside/01-first.md`, pending)
      yield* world.write(`${tree.path}/work.txt`, "work\n")
      yield* Effect.promise(() => make(tree.path, world))
      const done = yield* service.commit(repository, tree, {
        ...subject("Done", 1),
        put: [{ path: file, content: complete, was: pending }]
      })
      expect(done.replaced).toEqual(replaced ? [file] : [])
      expect(yield* world.git(tree.path, "ls-tree", done.commit, file)).toMatch(/^100644 /)
      expect(yield* world.git(tree.path, "show", `${done.commit}:${file}`)).toBe(complete)
      expect(yield* world.git(tree.path, "show", `${done.commit}:work.txt`)).toBe("work\n")
      expect(lstatSync(`${tree.path}/tasks`).isDirectory()).toBe(true)
      expect(lstatSync(`${tree.path}/${file}`).isFile()).toBe(true)
      expect(readFileSync(`${tree.path}/${file}`, "utf8")).toBe(complete)
      expect((yield* service.status(repository, tree)).changed).toEqual([])
      expect(yield* world.git(tree.path, "status", "--porcelain")).toBe("")
      expect(readdirSync(`${world.root}/outside`)).toEqual(["01-first.md"])
      expect(readFileSync(`${world.root}/outside/01-first.md`, "utf8")).toBe(pending)
    })
  )

wins("left alone", async () => {}, false)
wins("changed", (path) => writeFile(`${path}/${file}`, "gate: true\n"))
wins("set to what is put before that", (path) => writeFile(`${path}/${file}`, complete))
wins("removed", (path) => rm(`${path}/${file}`))
wins("removed with its directory", (path) => rm(`${path}/tasks`, { recursive: true }))
wins("made executable", (path) => chmod(`${path}/${file}`, 0o755), false)
wins("replaced by a link to its like", async (path, world) => {
  await rm(`${path}/${file}`)
  await symlink(`${world.root}/outside/01-first.md`, `${path}/${file}`)
})
wins("put behind a link", async (path, world) => {
  await rm(`${path}/tasks`, { recursive: true })
  await symlink(`${world.root}/outside`, `${path}/tasks`)
})
wins("put behind a link that leads nowhere", async (path, world) => {
  await rm(`${path}/tasks`, { recursive: true })
  await symlink(`${world.root}/nowhere`, `${path}/tasks`)
})
wins("replaced by a directory", async (path) => {
  await rm(`${path}/${file}`)
  await mkdir(`${path}/${file}/deep`, { recursive: true })
  await writeFile(`${path}/${file}/deep/file`, "")
})
wins("replaced by a repository", async (path) => {
  await rm(`${path}/${file}`)
  execFileSync("git", ["init", "--quiet", `${path}/${file}`])
})
wins("replaced by a pipe", async (path) => {
  await rm(`${path}/${file}`)
  execFileSync("mkfifo", [`${path}/${file}`])
})
wins("given a file for a directory", async (path) => {
  await rm(`${path}/tasks`, { recursive: true })
  await writeFile(`${path}/tasks`, "")
})
wins("closed with all directories", async (path) => void execFileSync("chmod", ["-R", "a-w", path]), false)
wins("replaced by a directory that is closed", async (path) => {
  await rm(`${path}/${file}`)
  await mkdir(`${path}/${file}/deep`, { recursive: true })
  await writeFile(`${path}/${file}/deep/file`, "")
  close(`${path}/${file}`)
})
wins(
  "ignored",
  async (path) => {
    await writeFile(`${path}/.gitignore`, "tasks\n*.md\n")
  },
  false
)
wins("ignored and removed", async (path) => {
  await writeFile(`${path}/.gitignore`, "tasks\n*.md\n")
  await rm(`${path}/tasks`, { recursive: true })
})

scenario("files that are put keep their mode, new ones get one, and bytes stay as they are", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const tree = yield* worktree(world, "u", yield* tasks(world))
    yield* Effect.promise(() => chmod(`${tree.path}/tasks/run.md`, 0o644))
    const bytes = Uint8Array.from([0, 255, 13, 10, 128])
    const { commit, replaced } = yield* service.commit(repository, tree, {
      ...subject("Done", 1),
      put: [
        { path: RepoPath.make("tasks/run.md"), content: pending },
        { path: RepoPath.make('new/\u00e9 "quoted".md'), content: bytes },
        { path: RepoPath.make("kept.log"), content: "ignored\n" }
      ]
    })
    expect(replaced).toEqual(['new/\u00e9 "quoted".md', "kept.log"])
    expect(yield* world.git(tree.path, "ls-tree", commit, "tasks/run.md")).toMatch(/^100755 /)
    expect(lstatSync(`${tree.path}/tasks/run.md`).mode & 0o100).toBe(0o100)
    expect(yield* service.readFile(repository, commit, RepoPath.make("kept.log"))).toEqual(
      Option.some(Buffer.from("ignored\n"))
    )
    const read = yield* service.readFile(repository, commit, RepoPath.make('new/\u00e9 "quoted".md'))
    expect(read).toEqual(Option.some(Buffer.from(bytes)))
    expect(yield* world.git(tree.path, "status", "--porcelain")).toBe("")
  })
)

scenario("a file that was checked out with other line ends is not taken for another one", (world) =>
  Effect.gen(function* () {
    const base = yield* tasks(world)
    yield* world.git(world.top, "config", "--global", "core.autocrlf", "true")
    const repository = yield* world.service.open(world.top)
    const tree = yield* worktree({ ...world, repository }, "u", base)
    expect(readFileSync(`${tree.path}/${file}`, "utf8")).toBe("status: pending\r\n")
    const { commit, replaced } = yield* world.service.commit(repository, tree, {
      ...subject("Done", 1),
      put: [{ path: file, content: complete, was: pending }]
    })
    expect(replaced).toEqual([])
    expect(yield* world.git(tree.path, "show", `${commit}:${file}`)).toBe(complete)
    expect(readFileSync(`${tree.path}/${file}`, "utf8")).toBe("status: complete\r\n")
    expect((yield* world.service.status(repository, tree)).changed).toEqual([])
  })
)

scenario("a commit that is refused puts nothing into the worktree", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const base = yield* tasks(world)
    const tree = yield* worktree(world, "u", base)
    const put = [{ path: file, content: complete, was: pending }]
    const before = () => Effect.dieMessage("no")
    const failed = yield* Effect.exit(service.commit(repository, tree, { ...subject("x", 1), before, put }))
    expect(failed._tag).toBe("Failure")
    expect(yield* service.status(repository, tree)).toMatchObject({ commit: base, changed: [] })
    expect((yield* service.commit(repository, tree, { ...subject("x", 1), put })).replaced).toEqual([])
  })
)

scenario("other work is committed beside files that are put", (world) =>
  Effect.gen(function* () {
    const base = yield* work(world, "base", { "a.txt": "base\n" })
    const tree = yield* worktree(world, "u", base)
    yield* world.write(`${tree.path}/a.txt`, "by the agent\n")
    const paths = Array.from({ length: 40 }, (_, i) => RepoPath.make(`tasks/${i}.md`))
    const { commit, replaced } = yield* world.service.commit(world.repository, tree, {
      ...subject("x", 1),
      put: paths.map((path) => ({ path, content: path }))
    })
    expect(replaced).toEqual(paths)
    expect(yield* world.git(tree.path, "show", `${commit}:a.txt`)).toBe("by the agent\n")
    expect(readdirSync(`${tree.path}/tasks`)).toHaveLength(40)
    expect(yield* world.git(tree.path, "status", "--porcelain")).toBe("")
  })
)
