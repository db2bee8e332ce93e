import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { rename, rm, symlink } from "node:fs/promises"
import { branch, pathIn, scenario, subject, worktree } from "./Scenario.js"

scenario(
  "what an agent commits, packed or loose, is in the user's repository once it counts, and nothing else is",
  (world) =>
    Effect.gen(function* () {
      const { repository, service, top } = world
      for (const [name, pack] of Object.entries({ loose: [], packed: ["gc", "--quiet", "--prune=now"] })) {
        const tree = yield* worktree(world, name)
        yield* world.write(`${tree.path}/${name}.txt`, `${name}\n`)
        yield* world.git(tree.path, "add", ".")
        yield* world.git(tree.path, "commit", "--quiet", "-m", "own")
        yield* world.git(tree.path, "branch", "private")
        yield* world.write(`${tree.path}/a.txt`, "stashed\n")
        yield* world.git(tree.path, "stash", "push", "--quiet")
        if (pack.length > 0) yield* world.git(tree.path, ...pack)
        const { commit } = yield* service.commit(repository, tree, subject(name, 1))
        expect(yield* world.git(tree.path, "rev-parse", "HEAD")).toBe(`${commit}\n`)
        yield* service.removeWorktree(repository, tree.path)
        expect(yield* world.git(top, "log", "--format=%s", `main..${branch(name)}`)).toBe(`${name}\nown\n`)
        expect(yield* world.git(top, "show", `${commit}:${name}.txt`)).toBe(`${name}\n`)
      }
      expect(yield* world.git(top, "branch", "--list", "private")).toBe("")
      yield* world.git(top, "fsck", "--strict", "--no-dangling")
    })
)

scenario("a commit whose objects are missing is not taken over, and the user's branch stays", (world) =>
  Effect.gen(function* () {
    const { main, repository, service } = world
    const tree = yield* worktree(world, "u")
    yield* world.write(`${tree.path}/new.txt`, "new\n")
    yield* world.git(tree.path, "add", ".")
    yield* world.git(tree.path, "commit", "--quiet", "-m", "own")
    const blob = (yield* world.git(tree.path, "rev-parse", "HEAD:new.txt")).trim()
    yield* Effect.promise(() => rm(`${tree.clone}/objects/${blob.slice(0, 2)}/${blob.slice(2)}`))
    const error = yield* Effect.flip(service.commit(repository, tree, subject("x")))
    expect(error).toMatchObject({ _tag: "WorktreeBroken", reason: expect.stringContaining("cannot be read") })
    expect(yield* service.resolve(repository, tree.branch)).toBe(main)
  })
)

scenario(
  "branches and tags that were moved or deleted are named and set back; added ones are the agent's own",
  (world) =>
    Effect.gen(function* () {
      const { main, repository, service } = world
      const tree = yield* worktree(world, "u")
      const git = (...args: ReadonlyArray<string>) => world.git(tree.path, ...args)
      expect(yield* service.putBack(repository, tree)).toEqual([])
      yield* git("commit", "--quiet", "--allow-empty", "-m", "own")
      const own = (yield* git("rev-parse", "HEAD")).trim()
      yield* git("branch", "added")
      yield* git("tag", "added")
      expect(yield* service.putBack(repository, tree)).toEqual([])
      yield* git("branch", "--force", "main")
      yield* git("branch", "--delete", "--force", "other")
      yield* git("branch", "other/below")
      yield* git("symbolic-ref", "refs/tags/v1", "refs/heads/main")
      yield* git("pack-refs", "--all")
      expect(yield* service.putBack(repository, tree)).toEqual([
        { ref: "refs/heads/main", from: main, to: own },
        { ref: "refs/heads/other", from: main, to: undefined },
        { ref: "refs/tags/v1", from: main, to: "ref: refs/heads/main" }
      ])
      expect(yield* service.putBack(repository, tree)).toEqual([])
      expect(yield* git("rev-parse", "main", "other", "v1", "added")).toBe(`${main}\n${main}\n${main}\n${own}\n`)
    })
)

scenario("refs are not set back through a link that leads out of the clone", (world) =>
  Effect.gen(function* () {
    const { repository, service, top } = world
    const tree = yield* worktree(world, "u")
    yield* world.git(tree.path, "branch", "--delete", "--force", "other")
    yield* world.write(`${world.root}/precious/other/file`, "precious\n")
    yield* Effect.promise(() => rename(`${tree.clone}/refs/heads/charlotte`, `${world.root}/charlotte`))
    yield* Effect.promise(() => rm(`${tree.clone}/refs/heads`, { recursive: true }))
    yield* Effect.promise(() => symlink(`${world.root}/precious`, `${tree.clone}/refs/heads`))
    expect(yield* service.putBack(repository, tree)).toMatchObject([{ ref: "refs/heads/other", to: undefined }])
    expect(readFileSync(`${world.root}/precious/other/file`, "utf8")).toBe("precious\n")
    expect(yield* world.git(tree.path, "rev-parse", "other")).toBe(yield* world.git(top, "rev-parse", "other"))
  })
)

scenario("a path at which another repository is becomes no worktree", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    yield* world.write(`${world.root}/worktrees/.u.git/precious`, "precious\n")
    expect(yield* Effect.flip(worktree(world, "u"))).toMatchObject({ _tag: "PathTaken" })
    expect(readFileSync(`${world.root}/worktrees/.u.git/precious`, "utf8")).toBe("precious\n")
    yield* service.removeWorktree(repository, pathIn(world, "u"))
    expect(readFileSync(`${world.root}/worktrees/.u.git/precious`, "utf8")).toBe("precious\n")
  })
)
