/** A job of tasks that 0.1.0 left interrupted, with its worktrees, is resumed by the command of today, and lands. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Charlotte from "../cli/process/Charlotte.js"
import * as Daemon from "../cli/process/Daemon.js"
import * as Home from "./home.js"

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))

const id = "01M8E4SPYDH8B5D3FE1E4Z7KYH"
const done = {
  api: "5bf09cabee42fd2449bdaf19ee93189831f80bb4",
  page: "d1e6374dd078aba1f53f4070607be3de502afbc8"
}

/** The repository and the home as 0.1.0 left them: its worktrees were linked ones, and had a mark each. */
const left = Effect.gen(function* () {
  const world = yield* Charlotte.world(() => ({}))
  const { git, home, repository, root, write } = world
  rmSync(repository, { recursive: true })
  mkdirSync(repository)
  yield* git(repository, "init", "--quiet")
  yield* Charlotte.run(world, `git fast-import --quiet < "${file("repository-0.1.0.fast-export")}"`)
  yield* git(repository, "reset", "--quiet", "--hard", "main")

  mkdirSync(home, { mode: 0o700 })
  const { dev, ino } = statSync(`${repository}/.git`)
  const rows = readFileSync(file("job-0.1.0.sql"), "utf8")
    .replaceAll("<root>", root)
    .replaceAll("<identity>", `${dev}:${ino}`)
    // The agent of its second task waited there.
    .replaceAll("sleep 600", "sleep 0")
  Home.create(`${home}/charlotte.db`, (database) => database.exec(rows))
  for (const unit of ["api", "page"] as const) {
    const branch = `charlotte/${id}/unit/${unit}`
    expect(yield* git(repository, "rev-parse", branch)).toBe(`${done[unit]}\n`)
    yield* git(repository, "worktree", "add", "--quiet", `${home}/worktrees/${id}/${unit}`, branch)
    yield* write(`${repository}/.git/worktrees/${unit}/charlotte`, branch)
    yield* write(`${home}/worktrees/${id}/.${unit}`, `${repository}/.git`)
  }
  // What the agent had written when it was killed.
  yield* write(`${home}/worktrees/${id}/api/draft.txt`, "begun\n")
  return world
})

/** The target has the work of all tasks, each done once, on top of what 0.1.0 had committed. */
const landed = ({ git, home, repository }: Charlotte.World) =>
  Effect.gen(function* () {
    const show = (path: string) => git(repository, "show", `main:${path}`)
    expect([yield* show("api.txt"), yield* show("page.txt"), yield* show("finished.txt")]).toEqual([
      "api\n",
      "page\n",
      "finished\n"
    ])
    for (const commit of Object.values(done)) yield* git(repository, "merge-base", "--is-ancestor", commit, "main")
    for (const task of ["api/01-write", "api/02-finish", "page/01-page"])
      expect(yield* show(`tasks/${task}.md`)).toContain("status: complete\n")
    // The user has `main` checked out.
    expect(yield* git(repository, "status", "--porcelain")).toBe("")
    expect(yield* git(repository, "worktree", "list")).toMatch(/^[^\n]*\[main\]\n$/)
    expect(readFileSync(`${repository}/finished.txt`, "utf8")).toBe("finished\n")
    const { charlotte_runs: runs = [], charlotte_tasks: tasks = [] } = Home.rows(`${home}/charlotte.db`)
    expect(runs.find((run) => run["id"] === id)).toMatchObject({ status: "completed", attempt: 2 })
    expect(tasks.filter((task) => task["job_id"] === id).map(({ calls, state }) => [state, calls])).toEqual([
      ["completed", 1],
      ["completed", 2],
      ["completed", 1]
    ])
  })

describe("a job of tasks that 0.1.0 left interrupted in its worktrees", () => {
  it.scopedLive("is resumed in the foreground, repeats no completed task, and lands on its target branch", () =>
    Effect.gen(function* () {
      const world = yield* left
      const resumed = yield* Charlotte.run(world, `exec charlotte resume ${id}`)
      expect([resumed.code, resumed.err, resumed.out]).toEqual([0, "", expect.stringContaining("completed")])
      yield* landed(world)
    })
  )

  it.scopedLive("is continued by a daemon as soon as it is started, and lands on its target branch", () =>
    Effect.gen(function* () {
      const world = yield* left
      yield* Daemon.up(world)
      const watched = yield* Charlotte.run(world, `exec charlotte watch ${id}`)
      expect([watched.code, watched.err]).toEqual([0, ""])
      yield* Daemon.down(world)
      yield* landed(world)
    })
  )
})
