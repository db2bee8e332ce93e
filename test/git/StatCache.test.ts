/** Files that did not change are not read again, and no change can be hidden by that. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Option } from "effect"
import { createHash } from "node:crypto"
import { existsSync, lstatSync, readFileSync, renameSync, utimesSync, writeFileSync } from "node:fs"
import { type ObjectId, RepoPath } from "../../src/git/RefNames.js"
import * as StatCache from "../../src/git/StatCache.js"
import type { Worktree } from "../../src/git/Worktrees.js"
import { plain, sandbox } from "../support/Repository.js"
import { scenario, serviceOf, subject, type World, worktree } from "./Scenario.js"

const names = Array.from({ length: 50 }, (_, i) => `many/${i}.txt`)

/** A commit on `main` with many files, which the user does not have checked out. */
const manyFiles = (world: World) =>
  Effect.gen(function* () {
    const tree = yield* worktree(world, "many")
    for (const name of names) yield* world.write(`${tree.path}/${name}`, `${name}\n`)
    return (yield* world.service.commit(world.repository, tree, subject("Many"))).commit
  })

/** Takes the objects of files out of the repository. A file that git reads gets its object back. */
const withoutObjects = (world: World, commit: ObjectId, paths: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const ids = yield* world.git(world.top, "rev-parse", ...paths.map((path) => `${commit}:${path}`))
    const files = ids
      .trim()
      .split("\n")
      .map((id) => `${world.top}/.git/objects/${id.slice(0, 2)}/${id.slice(2)}`)
    for (const file of files) renameSync(file, `${file}.taken`)
    const read = () => files.filter((file) => existsSync(file)).length
    return { read, putBack: () => files.forEach((file) => renameSync(`${file}.taken`, file)) }
  })

/** The files that git would read again, since the remembered index does not know them as they are. */
const unknown = (world: World, { gitDir, path }: Worktree) =>
  world.shell(path, `GIT_INDEX_FILE='${gitDir}/charlotte-index' git diff-files --name-only`)

/** Waits until a file was changed in an earlier second; git reads one as young as its index. */
const older = (file: string) =>
  Effect.repeat(Effect.sleep("20 millis"), {
    until: () =>
      Effect.map(Clock.currentTimeMillis, (now) => now >= Math.floor(lstatSync(file).mtimeMs / 1000 + 1) * 1000)
  })

const content = ({ repository, service }: World, commit: ObjectId, path: string) =>
  Effect.map(service.readFile(repository, commit, RepoPath.make(path)), Option.map(String))

/** Changes a file, of which only the time of the change then says so. */
const changeSecretly = (file: string, text: string) => {
  const { atime, mtime, size } = lstatSync(file)
  expect(text.length).toBe(size)
  writeFileSync(file, text)
  utimesSync(file, atime, mtime)
}

scenario("a task reads the files that it changed: none of its checkout, and none of an earlier task", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const from = yield* manyFiles(world)
    const tree = yield* worktree(world, "u", from)
    yield* older(`${tree.path}/${names.at(-1)}`)
    const checkedOut = yield* withoutObjects(world, from, names)
    yield* world.write(`${tree.path}/first/large.txt`, "large\n")
    expect((yield* service.status(repository, tree)).changed).toEqual(["first/large.txt"])
    const { changed, commit } = yield* service.commit(repository, tree, subject("First", 1))
    expect(changed).toEqual(["first/large.txt"])
    expect(checkedOut.read()).toBe(0)
    expect(yield* unknown(world, tree)).toBe("")

    yield* older(`${tree.path}/first/large.txt`)
    const first = yield* withoutObjects(world, commit, ["first/large.txt"])
    yield* world.write(`${tree.path}/second.txt`, "second\n")
    expect((yield* service.commit(repository, tree, subject("Second", 2))).changed).toEqual(["second.txt"])
    expect(checkedOut.read() + first.read()).toBe(0)
    checkedOut.putBack()
    first.putBack()
  })
)

scenario(
  "a change that leaves size, inode and times of a file as they were is committed, however fast it was made",
  (world) =>
    Effect.gen(function* () {
      const { repository, service } = world
      const tree = yield* worktree(world, "u")
      for (let i = 0; i < 10; i++) {
        changeSecretly(`${tree.path}/a.txt`, `${"x".repeat(12)}${i}\n`)
        expect((yield* service.status(repository, tree)).changed).toEqual(["a.txt"])
        const { commit } = yield* service.commit(repository, tree, subject(`${i}`, i + 1))
        expect(yield* content(world, commit, "a.txt")).toEqual(Option.some(`${"x".repeat(12)}${i}\n`))
      }
    })
)

/** An index that says that a change was not made. */
const forge = (world: World, tree: Worktree, file: string) =>
  Effect.gen(function* () {
    yield* world.git(tree.path, "update-index", "--assume-unchanged", file)
    writeFileSync(`${tree.gitDir}/charlotte-index`, readFileSync(`${tree.clone}/index`))
  })

scenario("an index that a process has put in the place of the remembered one is not used", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const tree = yield* worktree(world, "u")
    expect(existsSync(`${tree.gitDir}/charlotte-index`)).toBe(true)
    yield* forge(world, tree, "a.txt")
    yield* world.write(`${tree.path}/a.txt`, "changed\n")
    const { commit } = yield* service.commit(repository, tree, subject("First", 1))
    expect(yield* content(world, commit, "a.txt")).toEqual(Option.some("changed\n"))
  })
)

scenario("after a restart nothing is remembered, and all files are read once", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const tree = yield* worktree(world, "u")
    yield* service.commit(repository, tree, subject("First", 1))
    const restarted = yield* serviceOf(world)
    yield* forge(world, tree, "a.txt")
    yield* world.write(`${tree.path}/a.txt`, "changed\n")
    expect((yield* restarted.status(repository, tree)).changed).toEqual(["a.txt"])
    const { commit } = yield* restarted.commit(repository, tree, subject("Second", 2))
    expect(yield* unknown(world, tree)).toBe("")
    expect(yield* content(world, commit, "a.txt")).toEqual(Option.some("changed\n"))
    yield* restarted.removeWorktree(repository, tree.path)
    expect(existsSync(`${tree.gitDir}/charlotte-index`)).toBe(false)
  })
)

describe("doubt", () => {
  it.scopedLive("keeps the times of files that cannot have changed since without a trace, and of no others", () =>
    Effect.gen(function* () {
      const world = yield* sandbox
      const top = yield* plain(world)
      const index = () => readFileSync(`${top}/.git/index`)
      const changedAt = (name: string) => lstatSync(`${top}/${name}`, { bigint: true }).ctimeNs
      const kept = (since: bigint) =>
        Effect.gen(function* () {
          const bytes = index()
          expect(StatCache.doubt(bytes, { objectFormat: "sha1", since, top })).toBe(true)
          expect(bytes.subarray(-20)).toEqual(createHash("sha1").update(bytes.subarray(0, -20)).digest())
          writeFileSync(`${world.root}/index`, bytes)
          const said = yield* world.shell(top, `GIT_INDEX_FILE='${world.root}/index' git ls-files --debug`)
          return [...said.matchAll(/^(\S.*)\n {2}ctime: ([1-9]\d*):/gm)].map(([, name]) => name)
        })
      const all = [".gitignore", "a.txt", "b.txt", "dir/c.txt"]
      const newest = all.map(changedAt).reduce((a, b) => (a > b ? a : b))
      expect(yield* kept(newest + 1n)).toEqual(all)
      // A second later a change cannot have the same second, so git itself finds it.
      expect(yield* kept(newest + 2_000_000_000n)).toEqual(all)
      expect(yield* kept(newest)).not.toContain(all.find((name) => changedAt(name) === newest))
      expect(yield* kept(0n)).toEqual([])
      changeSecretly(`${top}/b.txt`, "c\n")
      expect(yield* kept(newest + 1n)).toEqual(all.filter((name) => name !== "b.txt"))
      // Processes can create a nested repository after the last look for one.
      yield* world.shell(top, "git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),nested")
      expect(StatCache.doubt(index(), { objectFormat: "sha1", since: 0n, top })).toBe(false)
    })
  )
})
