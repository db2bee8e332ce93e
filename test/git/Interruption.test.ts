/** Operations that are interrupted at any moment, and many at a time. */
import { expect } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { existsSync } from "node:fs"
import * as Worktrees from "../../src/git/Worktrees.js"
import { diverged, standsAt } from "./diverged.js"
import { branch, enter, pathIn, scenario, subject, type World, worktree } from "./Scenario.js"

scenario("a commit that is interrupted anywhere exists or not, and the next one succeeds", (world) =>
  Effect.gen(function* () {
    const { main, repository, service } = world
    const tree = yield* worktree(world, "u")
    for (let i = 0; i < 25; i++) {
      yield* world.write(`${tree.path}/file.txt`, `${i}\n`)
      const fiber = yield* Effect.fork(service.commit(repository, tree, subject(`${i}`, i + 1)))
      yield* Effect.sleep(`${i * 4} millis`)
      yield* Fiber.interrupt(fiber)
      const { commit } = yield* service.status(repository, tree)
      expect(existsSync(`${tree.clone}/index.lock`)).toBe(false)
      const isClean = (yield* world.git(tree.path, "diff", "--cached", "--name-only")) === ""
      expect(isClean, `the index is that of the commit after ${i * 4} ms`).toBe(true)
      expect(yield* service.isAncestor(repository, main, commit)).toBe(true)
    }
    yield* service.commit(repository, tree, subject("last", 99))
  })
)

scenario("a worktree whose making is interrupted is made or leaves nothing behind", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    for (let i = 0; i < 30; i++) {
      const fiber = yield* Effect.fork(worktree(world, "u"))
      yield* Effect.sleep(`${i * 4} millis`)
      yield* Fiber.interrupt(fiber)
      const trees = yield* service.worktrees(repository)
      const branches = yield* service.ownBranches(repository)
      expect(branches.length, `after ${i * 4} ms`).toBe(trees.length)
      expect(existsSync(pathIn(world, "u"))).toBe(trees.length > 0)
      yield* service.removeWorktree(repository, pathIn(world, "u"))
      yield* service.deleteBranch(repository, branch("u"))
    }
  })
)

scenario("a move that is interrupted anywhere is done or not, and the next one succeeds", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const { from, to, tree } = yield* diverged(world)
    for (let i = 0; i < 20; i++) {
      const fiber = yield* Effect.fork(service.forward(repository, tree, { from, to }))
      yield* Effect.sleep(`${i * 4} millis`)
      yield* Fiber.interrupt(fiber)
      const { changed } = yield* service.status(repository, tree)
      expect(changed, `after ${i * 4} ms`).toEqual([])
      yield* service.forward(repository, tree, { from, to })
      yield* standsAt(world, tree, to)
      yield* world.git(tree.path, "reset", "--quiet", "--hard", from)
    }
  })
)

scenario("twenty worktrees of one repository, made, worked in, committed and removed in parallel", (world) =>
  Effect.gen(function* () {
    const { main, repository, service } = world
    const names = Array.from({ length: 20 }, (_, i) => `u${i}`)
    const parallel = { concurrency: "unbounded" } as const
    const trees = yield* Effect.forEach(names, (name) => worktree(world, name), parallel)
    expect(yield* service.worktrees(repository)).toHaveLength(20)
    const commits = yield* Effect.forEach(
      trees,
      (tree, i) =>
        Effect.zipRight(
          world.write(`${tree.path}/file${i}.txt`, `${i}\n`),
          Effect.map(service.commit(repository, tree, subject(`work ${i}`, 1)), ({ commit }) => commit)
        ),
      parallel
    )
    expect(new Set(commits).size).toBe(20)
    for (const [i, tree] of trees.entries()) {
      expect(yield* service.resolve(repository, tree.branch)).toBe(commits[i])
      expect(yield* service.doneTasks(repository, { from: main, to: commits[i] ?? main })).toHaveLength(1)
      expect(yield* world.git(tree.path, "status", "--porcelain")).toBe("")
    }
    yield* Effect.forEach(trees, ({ path }) => service.removeWorktree(repository, path), parallel)
    expect(yield* service.worktrees(repository)).toEqual([])
    expect(trees.some(({ path }) => existsSync(path))).toBe(false)
  })
)

/** A git that waits, in commands whose arguments match a pattern, until it is killed or a file exists. */
const heldGit = (world: World, ...patterns: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const file = (name: string) => `${world.root}/${name}`
    const cases = patterns.map(
      (pattern, i) => `${pattern}) touch ${file(`at-${i}`)}; while ! [ -e ${file(`go-${i}`)} ]; do sleep 0.02; done;;`
    )
    yield* world.write(file("git"), `#!/bin/sh\ncase "$*" in\n${cases.join("\n")}\nesac\nexec git "$@"\n`, 0o755)
    return {
      executable: file("git"),
      reached: (i: number) => Effect.repeat(Effect.sleep("10 millis"), { until: () => existsSync(file(`at-${i}`)) }),
      release: (i: number) => world.write(file(`go-${i}`), "")
    }
  })

scenario("an interrupted checkout ends although another operation has locked the repository", (world) =>
  Effect.gen(function* () {
    const { main } = world
    const git = yield* heldGit(world, "read-tree\\ -m\\ -u*", "update-ref*/unit/other\\ *")
    const held = yield* enter(world, world.top, { executable: git.executable })
    const { repository, service } = held
    const making = yield* Effect.fork(worktree(held, "u"))
    yield* git.reached(0)
    const locking = yield* Effect.fork(service.createBranch(repository, branch("other"), main))
    yield* git.reached(1)
    const interrupted = yield* Effect.timeout(Effect.disconnect(Fiber.interrupt(making)), "20 seconds")
    expect(Exit.isInterrupted(interrupted)).toBe(true)
    yield* git.release(1)
    yield* Fiber.join(locking)
    yield* git.release(0)
    const [left] = yield* service.worktrees(repository)
    expect(left && (yield* Worktrees.isPopulated(left))).toBe(false)
    // As after a kill: the next worktree replaces it.
    yield* service.removeWorktree(repository, pathIn(world, "u"))
    yield* service.restore(repository, branch("u"), main)
    const tree = yield* service.addWorktree(repository, { path: pathIn(world, "u"), branch: branch("u") })
    expect(yield* Worktrees.isPopulated(tree)).toBe(true)
    expect((yield* service.status(repository, tree)).changed).toEqual([])
  })
)
