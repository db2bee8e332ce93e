import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { ObjectId } from "../../src/git/RefNames.js"
import { branch, pathIn, scenario, work } from "./Scenario.js"

scenario("a commit that git has cleared away is not there any more, and what is no commit never was", (world) =>
  Effect.gen(function* () {
    const { main, repository, service, top } = world
    const done = yield* work(world, "u", { "done.txt": "done\n" })
    expect(yield* service.contains(repository, done)).toBe(true)
    const tree = ObjectId.make((yield* world.git(top, "rev-parse", "main^{tree}")).trim())
    expect(yield* service.contains(repository, tree)).toBe(false)
    expect(yield* service.contains(repository, ObjectId.make("1".repeat(40)))).toBe(false)
    expect(yield* service.contains(repository, ObjectId.make("1".repeat(64)))).toBe(false)
    yield* service.removeWorktree(repository, pathIn(world, "u"))
    yield* service.deleteBranch(repository, branch("u"))
    yield* world.git(top, "gc", "--quiet", "--prune=now")
    expect(yield* service.contains(repository, done)).toBe(false)
    expect(yield* service.contains(repository, main)).toBe(true)
  })
)

scenario("commits are counted that one has and the other has not", (world) =>
  Effect.gen(function* () {
    const { main, repository, service } = world
    const one = yield* work(world, "one", { "one.txt": "1\n" })
    const two = yield* work(world, "two", { "two.txt": "2\n" }, one)
    const aside = yield* work(world, "aside", { "aside.txt": "3\n" })
    const count = (from: ObjectId, to: ObjectId) => service.commits(repository, { from, to })
    expect(yield* count(main, two)).toBe(2)
    expect(yield* count(two, main)).toBe(0)
    expect(yield* count(two, two)).toBe(0)
    expect(yield* count(two, aside)).toBe(1)
  })
)

scenario("the parent of a commit is the one before it, and of a merge the first", (world) =>
  Effect.gen(function* () {
    const { main, repository, service, top } = world
    const one = yield* work(world, "one", { "one.txt": "1\n" })
    const two = yield* work(world, "two", { "two.txt": "2\n" }, one)
    expect(yield* service.parent(repository, one)).toBe(main)
    expect(yield* service.parent(repository, two)).toBe(one)
    const tree = `${two}^{tree}`
    const merge = (yield* world.git(top, "commit-tree", "-p", two, "-p", main, "-m", "merge", tree)).trim()
    expect(yield* service.parent(repository, ObjectId.make(merge))).toBe(two)
    expect(yield* Effect.flip(service.parent(repository, ObjectId.make("1".repeat(40))))).toMatchObject({
      _tag: "GitFailed"
    })
  })
)
