import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs"
import { chmod, rm, symlink, writeFile } from "node:fs/promises"
import { RepoPath } from "../../src/git/RefNames.js"
import type { Worktree } from "../../src/git/Worktrees.js"
import { scenario, subject, work, type World, worktree } from "./Scenario.js"

const paths = ["tasks/1.md", "tasks/2.md", "tasks/run.sh", "charlotte.yaml"].map((path) => RepoPath.make(path))

/** Files that are kept are as they were, but for one that is put; other work is committed. */
const kept = (
  name: string,
  change: (tree: Worktree, world: World) => Promise<unknown> | Effect.Effect<unknown>,
  replaced: ReadonlyArray<string>
) =>
  scenario(`protected files are as they were at the beginning, although a process has ${name}`, (world) =>
    Effect.gen(function* () {
      const { repository, service } = world
      const files = { "tasks/1.md": "one\n", "tasks/2.md": "two\n", "tasks/run.sh": "three\n" }
      const base = yield* work(world, "base", files)
      const tree = yield* worktree(world, "u", base)
      yield* world.write(`${world.root}/outside/1.md`, "outside\n")
      yield* world.write(`${tree.path}/work.txt`, "work\n")
      const doing = change(tree, world)
      yield* Effect.isEffect(doing) ? doing : Effect.promise(() => doing)
      const put = [{ path: RepoPath.make("tasks/2.md"), content: "two, done\n", was: "two\n" }]
      const done = yield* service.commit(repository, tree, { ...subject("Done", 1), since: base, keep: paths, put })
      expect([...done.replaced].toSorted()).toEqual(replaced)
      const changed = yield* world.git(tree.path, "diff", "--name-only", base, done.commit)
      expect(changed.split("\n").filter((line) => /tasks|yaml/.test(line))).toEqual(["tasks/2.md"])
      expect(yield* world.git(tree.path, "show", `${done.commit}:work.txt`)).toBe("work\n")
      expect(lstatSync(`${tree.path}/tasks`).isDirectory()).toBe(true)
      expect(readFileSync(`${tree.path}/tasks/1.md`, "utf8")).toBe("one\n")
      expect(readFileSync(`${tree.path}/tasks/2.md`, "utf8")).toBe("two, done\n")
      expect(existsSync(`${tree.path}/charlotte.yaml`)).toBe(false)
      expect(yield* service.status(repository, tree)).toMatchObject({ commit: done.commit, changed: [] })
      expect(readdirSync(`${world.root}/outside`)).toEqual(["1.md"])
      expect(readFileSync(`${world.root}/outside/1.md`, "utf8")).toBe("outside\n")
    })
  )

kept("done nothing to them", async () => {}, [])
kept(
  "changed one, removed one and made one",
  async (tree) => {
    await writeFile(`${tree.path}/tasks/1.md`, "changed\n")
    await rm(`${tree.path}/tasks/2.md`)
    await chmod(`${tree.path}/tasks/run.sh`, 0o755)
    await writeFile(`${tree.path}/charlotte.yaml`, "attempts: 100\n")
  },
  ["charlotte.yaml", "tasks/1.md", "tasks/2.md", "tasks/run.sh"]
)
kept(
  "committed a change of them",
  (tree, world) =>
    Effect.gen(function* () {
      yield* world.write(`${tree.path}/tasks/1.md`, "changed\n")
      yield* world.write(`${tree.path}/charlotte.yaml`, "attempts: 100\n")
      yield* world.git(tree.path, "add", ".")
      yield* world.git(tree.path, "commit", "--quiet", "-m", "mine")
    }),
  ["charlotte.yaml", "tasks/1.md"]
)
kept(
  "put a link in place of their directory",
  async (tree, world) => {
    await rm(`${tree.path}/tasks`, { recursive: true })
    await symlink(`${world.root}/outside`, `${tree.path}/tasks`)
  },
  ["tasks/1.md", "tasks/2.md", "tasks/run.sh"]
)
kept(
  "put a file in place of their directory, and links in place of them",
  async (tree, world) => {
    await rm(`${tree.path}/tasks`, { recursive: true })
    await writeFile(`${tree.path}/tasks`, "")
    await symlink(`${world.root}/outside/1.md`, `${tree.path}/charlotte.yaml`)
  },
  ["charlotte.yaml", "tasks/1.md", "tasks/2.md", "tasks/run.sh"]
)
