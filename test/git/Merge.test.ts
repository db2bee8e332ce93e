import { expect } from "@effect/vitest"
import { Effect, Option } from "effect"
import { rm } from "node:fs/promises"
import { RepoPath } from "../../src/git/RefNames.js"
import { branch, mainBranch, scenario, subject, work, worktree } from "./Scenario.js"

const files = (names: ReadonlyArray<string>) => names.join("\n") + "\n"

scenario("what is contained already, or contains ours, needs no commit", (world) =>
  Effect.gen(function* () {
    const { main, repository, service } = world
    const one = yield* work(world, "one", { "one.txt": "1\n" })
    const merge = (ours: typeof main, theirs: typeof main) =>
      service.merge(repository, { ours, theirs, subject: subject("Merge") })
    expect(yield* merge(one, main)).toEqual({ _tag: "UpToDate", commit: one })
    expect(yield* merge(main, main)).toEqual({ _tag: "UpToDate", commit: main })
    expect(yield* merge(main, one)).toEqual({ _tag: "FastForward", commit: one })
  })
)

scenario("two lines of work become a commit of both, and no branch moves", (world) =>
  Effect.gen(function* () {
    const { main, repository, service } = world
    const one = yield* work(world, "one", { "one.txt": "1\n", "a.txt": "ONE\ntwo\nthree\n" })
    const two = yield* work(world, "two", { "two.txt": "2\n", "a.txt": "one\ntwo\nTHREE\n" })
    const before = yield* service.ownBranches(repository)
    const merged = yield* service.merge(repository, { ours: one, theirs: two, subject: subject("Merge two") })
    if (merged._tag !== "Merged") return expect(merged._tag).toBe("Merged")
    const { commit } = merged
    expect(yield* world.git(world.top, "log", "-1", "--format=%P", commit)).toBe(`${one} ${two}\n`)
    expect(yield* world.git(world.top, "show", `${commit}:a.txt`)).toBe("ONE\ntwo\nTHREE\n")
    expect(yield* world.git(world.top, "ls-tree", "--name-only", commit)).toBe(
      files([".gitignore", "a.txt", "b.txt", "dir", "one.txt", "two.txt"])
    )
    expect(yield* service.ownBranches(repository)).toEqual(before)
    expect(yield* service.resolve(repository, mainBranch)).toBe(main)
    // The same merge again finds that nothing is left to do.
    const again = yield* service.merge(repository, { ours: commit, theirs: two, subject: subject("Merge two") })
    expect(again).toEqual({ _tag: "UpToDate", commit })
    expect(yield* service.doneTasks(repository, { from: main, to: commit })).toEqual([])
  })
)

scenario("a conflict names its files, and nothing is made", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const one = yield* work(world, "one", { "a.txt": "one of one\n", "dir/c.txt": "1\n", "fine.txt": "1\n" })
    const two = yield* work(world, "two", { "a.txt": "one of two\n", "dir/c.txt": "2\n", "new\nline.txt": "2\n" })
    const merged = yield* service.merge(repository, { ours: one, theirs: two, subject: subject("Merge") })
    expect(merged).toEqual({ _tag: "Conflict", files: ["a.txt", "dir/c.txt"] })
  })
)

scenario(
  "a conflict within text can be marked, in a commit that is the same each time and that no branch contains",
  (world) =>
    Effect.gen(function* () {
      const { repository, service } = world
      const text = "title\n=======\n"
      const base = yield* work(world, "base", { "own.txt": `${text}0\n` })
      const one = yield* work(
        world,
        "one",
        { "a.txt": "one of one\n", "own.txt": `${text}1\n`, "one.txt": "1\n" },
        base
      )
      const two = yield* work(
        world,
        "two",
        { "a.txt": "one of two\n", "own.txt": `${text}2\n`, "two.txt": "2\n" },
        base
      )
      const before = yield* service.ownBranches(repository)
      const merge = service.merge(repository, { ours: one, theirs: two, subject: subject("Merge"), marks: true })
      const merged = yield* merge
      expect(yield* merge).toEqual(merged)
      if (merged._tag !== "Conflict" || merged.unresolved === undefined) return expect(merged).toBe("a marked conflict")
      const { commit, parents } = merged.unresolved
      expect([merged.files, parents]).toEqual([
        ["a.txt", "own.txt"],
        [one, two]
      ])
      expect(yield* world.git(world.top, "log", "-1", "--format=%P", commit)).toBe(`${one} ${two}\n`)
      expect(yield* world.git(world.top, "show", `${commit}:a.txt`)).toBe(
        `<<<<<<< ${one}\none of one\n=======\none of two\n>>>>>>> ${two}\n`
      )
      expect(yield* service.ownBranches(repository)).toEqual(before)

      const tree = yield* worktree(world, "resolved", commit)
      const resolves = { parents, files: ["a.txt", "own.txt"].map((file) => RepoPath.make(file)) }
      const resolve = (own: string) =>
        Effect.gen(function* () {
          yield* world.write(`${tree.path}/own.txt`, own)
          return yield* Effect.either(
            service.commit(repository, tree, { ...subject("Merge"), since: commit, resolves })
          )
        })
      yield* world.write(`${tree.path}/a.txt`, "one of both\n")
      for (const own of [`${text}1\n||||||| base\n2\n`, `${text}>>>>>>> ${two}\n1\n2\n`])
        expect(yield* resolve(own)).toMatchObject({ left: { _tag: "MarkersLeft", files: ["own.txt"] } })
      // A line of the text itself looks like a marker.
      const done = yield* resolve(`${text}1\n2\n`)
      if (done._tag === "Left") return expect(done.left).toBeUndefined()
      expect(yield* world.git(world.top, "log", "-1", "--format=%P", done.right.commit)).toBe(`${one} ${two}\n`)
      expect(yield* service.resolve(repository, branch("resolved"))).toBe(done.right.commit)
    })
)

for (const [what, one, two] of [
  ["a binary file", { "a.txt": "\0one" }, { "a.txt": "\0two" }],
  ["a changed file beside a deleted one", { "a.txt": "one of one\n", "dir/c.txt": "1\n" }, { "a.txt": "one of two\n" }]
] as const)
  scenario(`a conflict is not marked for ${what}`, (world) =>
    Effect.gen(function* () {
      const { repository, service } = world
      const base = yield* work(world, "base", { "a.txt": "base\n", "dir/c.txt": "0\n" })
      const ours = yield* work(world, "one", one, base)
      const tree = yield* worktree(world, "theirs", base)
      for (const [name, content] of Object.entries(two)) yield* world.write(`${tree.path}/${name}`, content)
      if ("dir/c.txt" in one) yield* Effect.promise(() => rm(`${tree.path}/dir/c.txt`))
      const { commit: theirs } = yield* service.commit(repository, tree, subject("theirs"))
      const merged = yield* service.merge(repository, { ours, theirs, subject: subject("Merge"), marks: true })
      expect(merged).toEqual({ _tag: "Conflict", files: "dir/c.txt" in one ? ["a.txt", "dir/c.txt"] : ["a.txt"] })
    })
  )

scenario("the rules of the repository for merging are kept", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const base = yield* work(world, "base", { ".gitattributes": "log.txt merge=union\n", "log.txt": "0\n" })
    const one = yield* work(world, "one", { "log.txt": "0\n1\n" }, base)
    const two = yield* work(world, "two", { "log.txt": "0\n2\n" }, base)
    const merged = yield* service.merge(repository, { ours: one, theirs: two, subject: subject("Merge") })
    if (merged._tag !== "Merged") return expect(merged._tag).toBe("Merged")
    const file = yield* service.readFile(repository, merged.commit, RepoPath.make("log.txt"))
    expect(Option.map(file, String)).toEqual(Option.some("0\n1\n2\n"))
    expect(yield* service.resolve(repository, branch("two"))).toBe(two)
  })
)

scenario("of files that yield, theirs decides where it has changed them, and nowhere else", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const names = ["changed", "gone", "new", "ours", "both"]
    const all = Object.fromEntries(["changed", "gone", "ours", "both"].map((name) => [`p/${name}`, "1\n2\n3\n"]))
    const base = yield* work(world, "base", { ...all, "other.txt": "1\n" })
    const ours = yield* work(
      world,
      "ours",
      { "p/changed": "1\nours\n3\n", "p/gone": "ours\n", "p/new": "ours\n", "p/ours": "ours\n", "mine.txt": "1\n" },
      base
    )
    const tree = yield* worktree(world, "theirs", base)
    yield* world.write(`${tree.path}/p/changed`, "1\ntheirs\n3\n")
    yield* world.write(`${tree.path}/p/new`, "theirs\n")
    yield* Effect.promise(() => rm(`${tree.path}/p/gone`))
    const { commit: theirs } = yield* service.commit(repository, tree, subject("theirs"))
    const yields = names.map((name) => RepoPath.make(`p/${name}`))

    const plain = yield* service.merge(repository, { ours, theirs, subject: subject("Merge") })
    expect(plain).toEqual({ _tag: "Conflict", files: ["p/changed", "p/gone", "p/new"] })
    const merged = yield* service.merge(repository, { ours, theirs, subject: subject("Merge"), yields })
    if (merged._tag !== "Merged") return expect(merged._tag).toBe("Merged")
    const { commit } = merged
    const content = (name: string) => world.git(world.top, "show", `${commit}:${name}`)
    expect(yield* world.git(world.top, "ls-tree", "--name-only", `${commit}:p`)).toBe(
      files(["both", "changed", "new", "ours"])
    )
    expect(yield* content("p/changed")).toBe("1\ntheirs\n3\n")
    expect(yield* content("p/new")).toBe("theirs\n")
    expect(yield* content("p/ours")).toBe("ours\n")
    expect(yield* content("mine.txt")).toBe("1\n")
    // Both lines of work are in it.
    for (const part of [ours, theirs]) expect(yield* service.isAncestor(repository, part, commit)).toBe(true)
    // With nothing to yield, it is a merge as any.
    const other = yield* service.merge(repository, { ours: base, theirs, subject: subject("Merge"), yields })
    expect(other).toEqual({ _tag: "FastForward", commit: theirs })
  })
)
