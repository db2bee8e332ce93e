import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { rename, rm, symlink } from "node:fs/promises"
import { ObjectId } from "../../src/git/RefNames.js"
import { branch, mainBranch, scenario, serviceOf, subject, work, worktree } from "./Scenario.js"

scenario(
  "a branch is set to a commit wherever it is, made when it is gone, and left alone where it should be",
  (world) =>
    Effect.gen(function* () {
      const { main, repository, service } = world
      const done = yield* work(world, "done", { "done.txt": "done\n" })
      const u = branch("u")
      const restore = service.restore(repository, u, done)
      expect(yield* restore).toBe(true)
      expect(yield* restore).toBe(false)
      expect(yield* service.restore(repository, u, main)).toBe(true)
      expect(yield* service.resolve(repository, u)).toBe(main)
      yield* service.deleteBranch(repository, u)
      expect(yield* restore).toBe(true)
      // Another name for the user's branch, for one that is not there, and no name at all.
      for (const target of ["refs/heads/main", "refs/heads/nowhere"]) {
        yield* world.git(world.top, "symbolic-ref", `refs/heads/${u}`, target)
        expect(yield* restore).toBe(true)
        expect(yield* service.resolve(repository, u)).toBe(done)
      }
      yield* world.write(`${world.top}/.git/refs/heads/${u}`, "rubbish\n")
      expect(yield* restore).toBe(true)
      expect(yield* service.resolve(repository, u)).toBe(done)
      expect(yield* service.resolve(repository, mainBranch)).toBe(main)
      const unknown = service.restore(repository, u, ObjectId.make("1".repeat(40)))
      expect((yield* Effect.flip(unknown))._tag).toBe("GitFailed")
      expect(yield* service.resolve(repository, u)).toBe(done)
    })
)

scenario("a branch that a user has checked out is not moved, one on which a worktree of ours stands is", (world) =>
  Effect.gen(function* () {
    const { main, repository, service } = world
    const tree = yield* worktree(world, "u")
    const { commit } = yield* service.commit(repository, tree, subject("x"))
    expect(yield* service.restore(repository, tree.branch, main)).toBe(true)
    yield* service.createBranch(repository, branch("v"), main)
    yield* world.git(world.top, "worktree", "add", "--quiet", `${world.root}/mine`, branch("v"))
    const refused = yield* Effect.flip(service.restore(repository, branch("v"), commit))
    expect(refused).toMatchObject({ _tag: "BranchCheckedOut", path: `${world.root}/mine` })
    expect(yield* service.restore(repository, branch("v"), main)).toBe(false)
    yield* world.git(world.top, "worktree", "remove", `${world.root}/mine`)
    expect(yield* service.restore(repository, branch("v"), commit)).toBe(true)
  })
)

scenario("a branch is read from its file without a git program, and by git where that is no answer", (world) =>
  Effect.gen(function* () {
    const { main, repository, service, top } = world
    const done = yield* work(world, "done", { "done.txt": "done\n" })
    const own = branch("u")
    yield* service.createBranch(repository, own, main)
    const alone = yield* serviceOf(world, { executable: `${world.root}/no-git` })
    expect(yield* alone.resolve(repository, own)).toBe(main)

    yield* world.git(top, "pack-refs", "--all")
    expect((yield* Effect.flip(alone.resolve(repository, own)))._tag).toBe("GitMissing")
    expect(yield* service.resolve(repository, own)).toBe(main)
    // From here on the packed one is old.
    yield* service.restore(repository, own, done)
    expect(yield* service.resolve(repository, own)).toBe(done)

    const file = `${top}/.git/refs/heads/${own}`
    yield* Effect.promise(() => rename(file, `${world.root}/file`))
    yield* Effect.promise(() => symlink(`${world.root}/file`, file))
    expect((yield* Effect.flip(alone.resolve(repository, own)))._tag).toBe("GitMissing")
    yield* Effect.promise(() => rm(file))
    yield* world.write(file, `ref: refs/heads/${mainBranch}\n`)
    expect((yield* Effect.flip(service.resolve(repository, own)))._tag).toBe("SymbolicBranch")
    yield* world.write(file, `${main.slice(0, 39)}\n`)
    expect((yield* Effect.flip(alone.resolve(repository, own)))._tag).toBe("GitMissing")
  })
)
