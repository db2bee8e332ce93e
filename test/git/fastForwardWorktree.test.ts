import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, lstatSync, readFileSync, statSync } from "node:fs"
import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises"
import type { ObjectId } from "../../src/git/RefNames.js"
import { diverged, standsAt } from "./diverged.js"
import { branch, scenario, subject } from "./Scenario.js"

scenario("a worktree is moved to a merge of its work, with all its files and no other", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const { from, to, tree } = yield* diverged(world)
    yield* world.write(`${tree.path}/debug.log`, "ignored\n")
    yield* service.forward(repository, tree, { from, to })
    yield* standsAt(world, tree, to)
    expect(readFileSync(`${tree.path}/a.txt`, "utf8")).toBe("theirs\n")
    expect(readFileSync(`${tree.path}/b.txt/inside.txt`, "utf8")).toBe("inside\n")
    expect(existsSync(`${tree.path}/dir`)).toBe(false)
    expect(readFileSync(`${tree.path}/debug.log`, "utf8")).toBe("ignored\n")
    yield* world.write(`${tree.path}/after.txt`, "after\n")
    const { commit } = yield* service.commit(repository, tree, { ...subject("after", 2), since: to })
    expect(yield* world.git(tree.path, "show", "--name-only", "--format=", commit)).toBe("after.txt\n")
  })
)

scenario("a file that is as it should be is not written again", (world) =>
  Effect.gen(function* () {
    const { from, to, tree } = yield* diverged(world)
    const before = statSync(`${tree.path}/mine.txt`, { bigint: true })
    yield* world.service.forward(world.repository, tree, { from, to })
    const after = statSync(`${tree.path}/mine.txt`, { bigint: true })
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs])
  })
)

scenario("by-products in the way are replaced, and nothing is written behind a link", (world) =>
  Effect.gen(function* () {
    const { from, to, tree } = yield* diverged(world)
    yield* world.write(`${world.root}/outside/file.txt`, "outside\n")
    yield* world.write(`${world.root}/outside/c.txt`, "outside\n")
    yield* Effect.promise(async () => {
      await writeFile(`${tree.path}/a.txt`, "changed\n")
      await rm(`${tree.path}/mine.txt`)
      await symlink(`${world.root}/outside/file.txt`, `${tree.path}/mine.txt`)
      await symlink(`${world.root}/outside`, `${tree.path}/new`)
      await rm(`${tree.path}/dir`, { recursive: true })
      await symlink(`${world.root}/outside`, `${tree.path}/dir`)
      await chmod(`${tree.path}/.gitignore`, 0o755)
      await rm(`${tree.path}/b.txt`)
      await mkdir(`${tree.path}/b.txt/inside.txt/deep`, { recursive: true })
      await writeFile(`${tree.path}/b.txt/inside.txt/deep/file`, "")
      await mkdir(`${tree.path}/untracked`)
      await writeFile(`${tree.path}/untracked/file`, "")
    })
    yield* world.service.forward(world.repository, tree, { from, to })
    expect(readFileSync(`${world.root}/outside/file.txt`, "utf8")).toBe("outside\n")
    expect(readFileSync(`${world.root}/outside/c.txt`, "utf8")).toBe("outside\n")
    expect(lstatSync(`${tree.path}/new`).isDirectory()).toBe(true)
    expect(readFileSync(`${tree.path}/mine.txt`, "utf8")).toBe("mine\n")
    expect(existsSync(`${tree.path}/untracked/file`)).toBe(true)
    yield* Effect.promise(() => rm(`${tree.path}/untracked`, { recursive: true }))
    yield* Effect.promise(() => rm(`${tree.path}/dir`, { force: true }))
    yield* standsAt(world, tree, to)
  })
)

scenario("a worktree whose directories were closed is moved all the same", (world) =>
  Effect.gen(function* () {
    const { from, to, tree } = yield* diverged(world)
    execFileSync("chmod", ["-R", "a-w", tree.path])
    yield* world.service.forward(world.repository, tree, { from, to })
    yield* standsAt(world, tree, to)
  })
)

scenario(
  "moved again, it stays where it is and its files are put right; moved from elsewhere, it is refused",
  (world) =>
    Effect.gen(function* () {
      const { main, repository, service } = world
      const { from, to, tree } = yield* diverged(world)
      const refused = (options: { readonly from: ObjectId; readonly to: ObjectId }) =>
        Effect.map(Effect.flip(service.forward(repository, tree, options)), (error) => error._tag)
      expect(yield* refused({ from: main, to })).toBe("BranchMoved")
      expect(yield* refused({ from, to: main })).toBe("NotFastForward")
      yield* standsAt(world, tree, from)
      yield* service.forward(repository, tree, { from, to })
      yield* world.write(`${tree.path}/a.txt`, "changed\n")
      yield* service.forward(repository, tree, { from, to })
      yield* standsAt(world, tree, to)
      yield* world.git(tree.path, "checkout", "--quiet", "--detach")
      expect(yield* refused({ from, to })).toBe("HeadMoved")
      yield* world.git(world.top, "worktree", "add", "--quiet", `${world.root}/mine`, "-b", "mine")
      const theirs = {
        path: tree.path,
        branch: branch("mine"),
        gitDir: `${world.top}/.git/worktrees/mine`,
        clone: tree.clone
      }
      expect((yield* Effect.flip(service.forward(repository, theirs, { from, to })))._tag).toBe("WorktreeBroken")
      yield* world.git(world.top, "worktree", "remove", `${world.root}/mine`)
      yield* world.git(world.top, "branch", "-D", "mine")
    })
)

scenario("after a crash between files and branch, the move is completed, and a commit reverts nothing", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const { from, to, tree } = yield* diverged(world)
    // Half of the files, and the lock, as a process leaves them that was killed.
    yield* world.git(tree.path, "--work-tree", tree.path, "checkout", "--quiet", to, "--", "a.txt", "new")
    yield* world.write(`${tree.clone}/index.lock`, "")
    yield* service.forward(repository, tree, { from, to })
    yield* standsAt(world, tree, to)

    yield* service.restore(repository, tree.branch, from)
    yield* world.git(tree.path, "update-ref", `refs/heads/${tree.branch}`, from)
    const { commit } = yield* service.commit(repository, tree, subject("after"))
    const again = yield* service.merge(repository, { ours: to, theirs: commit, subject: subject("Merge") })
    if (again._tag !== "Merged") return expect(again._tag).toBe("Merged")
    expect(yield* world.git(tree.path, "diff", "--name-only", to, again.commit)).toBe("")
  })
)
