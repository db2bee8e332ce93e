import { expect } from "@effect/vitest"
import { Effect, Option } from "effect"
import { chmod, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises"
import type { File, Page } from "../../src/git/Diff.js"
import { ObjectId } from "../../src/git/RefNames.js"
import { pathIn, scenario, subject, work, worktree, type World } from "./Scenario.js"

/** A commit of what is done to the files of a worktree. */
const change = (world: World, name: string, act: (top: string) => Promise<unknown>, from = world.main) =>
  Effect.gen(function* () {
    const tree = yield* worktree(world, name, from)
    yield* Effect.promise(() => act(tree.path))
    return (yield* world.service.commit(world.repository, tree, subject(name))).commit
  })

const pages = ({ repository, service }: World, range: { readonly base: ObjectId; readonly head: ObjectId }) =>
  Effect.gen(function* () {
    const found: Array<Page> = []
    for (
      let from: number | undefined = 0;
      from !== undefined;
      from = Option.getOrUndefined(found.at(-1)?.next ?? Option.none())
    )
      found.push(yield* service.diff(repository, { ...range, from }))
    return found
  })

const diff = (world: World, head: ObjectId, base = world.main) =>
  Effect.map(pages(world, { base, head }), (found) => found.flatMap(({ files }) => files))

const named = (files: ReadonlyArray<File>, path: string) => files.find((file) => file.path === path)

scenario("added, modified, deleted and renamed files are told apart, with their lines and modes", (world) =>
  Effect.gen(function* () {
    const text = Array.from({ length: 40 }, (_, i) => `line ${i}\n`).join("")
    const before = yield* work(world, "before", { "old name.txt": text, "gone.txt": "gone\n" })
    const head = yield* change(
      world,
      "after",
      async (top) => {
        await writeFile(`${top}/a.txt`, "one\nTWO\nthree\nfour")
        await rename(`${top}/old name.txt`, `${top}/new name.txt`)
        await writeFile(`${top}/new name.txt`, text.replace("line 7\n", "line seven\n"))
        await rm(`${top}/gone.txt`)
        await writeFile(`${top}/new.txt`, "new\n")
        await chmod(`${top}/b.txt`, 0o755)
        await rm(`${top}/dir/c.txt`)
        await symlink("../a.txt", `${top}/dir/c.txt`)
      },
      before
    )
    const files = yield* diff(world, head, before)
    expect(files.map(({ path }) => path)).toEqual([
      "a.txt",
      "b.txt",
      "dir/c.txt",
      "gone.txt",
      "new name.txt",
      "new.txt"
    ])
    expect(named(files, "a.txt")).toEqual({
      path: "a.txt",
      status: "modified",
      additions: 2,
      deletions: 1,
      binary: false,
      oldMode: "100644",
      mode: "100644",
      patch: "@@ -1,3 +1,4 @@\n one\n-two\n+TWO\n three\n+four\n\\ No newline at end of file"
    })
    expect(named(files, "b.txt")).toMatchObject({ status: "modified", additions: 0, mode: "100755", patch: "" })
    expect(named(files, "dir/c.txt")).toMatchObject({
      status: "typeChanged",
      oldMode: "100644",
      mode: "120000",
      additions: 1,
      deletions: 1,
      patch: "@@ -1 +0,0 @@\n-c\n@@ -0,0 +1 @@\n+../a.txt\n\\ No newline at end of file"
    })
    expect(named(files, "gone.txt")).toMatchObject({ status: "deleted", deletions: 1, patch: "@@ -1 +0,0 @@\n-gone" })
    expect(named(files, "gone.txt")).not.toHaveProperty("mode")
    expect(named(files, "new name.txt")).toMatchObject({ status: "renamed", oldPath: "old name.txt", additions: 1 })
    expect(named(files, "new.txt")).toMatchObject({ status: "added", additions: 1, patch: "@@ -0,0 +1 @@\n+new" })
    expect(yield* diff(world, head, head)).toEqual([])
  })
)

scenario("names and lines that look like options, headers or control sequences are data", (world) =>
  Effect.gen(function* () {
    const names = [
      "--output=owned.txt",
      ":(exclude)b.txt",
      "*",
      'quo"te\\back',
      "line\nbreak\t\u001b[31m.txt",
      "\u202ereversed",
      "日本.txt",
      " b/000001"
    ]
    const line =
      "x\rdiff --git a/000001 b/000001\r\n@@ -1 +1 @@\n+++ b/x\n--- a/x\nBinary files a and b differ\n\u2028diff --git a/000002 b/000002\n"
    const head = yield* change(world, "hostile", async (top) => {
      for (const name of names) {
        await mkdir(`${top}/d`, { recursive: true })
        await writeFile(`${top}/d/${name.replaceAll("/", "-")}`, line)
      }
      await mkdir(`${top}/-`)
      await writeFile(`${top}/-/--no-index`, line)
    })
    const files = yield* diff(world, head)
    const expected = [...names.map((name) => `d/${name.replaceAll("/", "-")}`), "-/--no-index"]
    expect(files.map(({ path }) => path).toSorted()).toEqual(expected.toSorted())
    const patch = `@@ -0,0 +1,6 @@\n${line
      .slice(0, -1)
      .split("\n")
      .map((part) => `+${part}`)
      .join("\n")}`
    for (const file of files) expect(file).toMatchObject({ additions: 6, deletions: 0, binary: false, patch })
  })
)

scenario("binary files are named only, and the patch of a large one is left out with a mark", (world) =>
  Effect.gen(function* () {
    const mebi = 1024 * 1024
    const head = yield* change(world, "large", async (top) => {
      await writeFile(`${top}/binary`, Buffer.from([0, 1, 2, 3]))
      await writeFile(`${top}/text-of-8`, "é\n".repeat(2 * mebi))
      await writeFile(`${top}/text-of-9`, "x".repeat(9 * mebi))
      await writeFile(`${top}/text-of-1`, "\u0001\n".repeat(mebi / 4))
      await writeFile(`${top}/text`, "small\n")
    })
    const files = yield* diff(world, head)
    expect(named(files, "binary")).toMatchObject({ binary: true, additions: 0, deletions: 0, status: "added" })
    expect(named(files, "binary")).not.toHaveProperty("patch")
    expect(named(files, "binary")).not.toHaveProperty("tooLarge")
    const large = { binary: false, tooLarge: true }
    // Small enough to count its lines, and too large to show them; even more so as JSON.
    expect(named(files, "text-of-8")).toMatchObject({ ...large, additions: 2 * mebi })
    expect(named(files, "text-of-1")).toMatchObject({ ...large, additions: mebi / 4 })
    expect(named(files, "text-of-9")).toMatchObject({ ...large, additions: 0 })
    expect(files.filter(({ patch }) => patch !== undefined).map(({ path }) => path)).toEqual(["text"])
  })
)

scenario("pages of at most 4 MiB and 1,000 files have each file once, in order", (world) =>
  Effect.gen(function* () {
    const large = `${"0123456789".repeat(50)}\n`.repeat(1_200)
    const head = yield* change(world, "many", async (top) => {
      for (let i = 0; i < 12; i++) await writeFile(`${top}/large-${String(i).padStart(2, "0")}`, `${i}\n${large}`)
      await mkdir(`${top}/small`)
      for (let i = 0; i < 1_500; i++) await writeFile(`${top}/small/${String(i).padStart(4, "0")}`, `${i}\n`)
    })
    const found = yield* pages(world, { base: world.main, head })
    const sizes = found.map(({ files }) => files.length)
    expect(sizes).toEqual([6, 1000, 506])
    for (const { files } of found) expect(Buffer.byteLength(JSON.stringify(files))).toBeLessThan(4.1 * 1024 * 1024)
    const paths = found.flatMap(({ files }) => files.map(({ path }) => path))
    expect(new Set(paths).size).toBe(1_512)
    expect(paths).toEqual(paths.toSorted())
    expect(found.flatMap(({ files }) => files).every(({ additions }) => additions === 1 || additions === 1_201)).toBe(
      true
    )
  })
)

scenario(
  "links to commits of other repositories, renames by the hundred and a colon in the path of the repository",
  (world) =>
    Effect.gen(function* () {
      const many = Array.from(
        { length: 300 },
        (_, i) => [`from/${i}.txt`, `${`content of ${i}\n`.repeat(10)}end ${i}\n`] as const
      )
      const before = yield* work(world, "before", Object.fromEntries(many))
      const moved = yield* change(
        world,
        "moved",
        async (top) => {
          await mkdir(`${top}/to`)
          for (const [name] of many) await rename(`${top}/${name}`, `${top}/to/${name.slice(5)}`)
          await writeFile(`${top}/to/7.txt`, `${"content of 7\n".repeat(10)}END 7\n`)
        },
        before
      )
      const files = yield* diff(world, moved, before)
      expect(
        files.every(({ oldPath, path, status }) => status === "renamed" && oldPath === path.replace(/^to/, "from"))
      ).toBe(true)
      expect(files.filter(({ additions }) => additions > 0).map(({ path }) => path)).toEqual(["to/7.txt"])

      const copy = `${pathIn(world, 'a:b "c"')}`
      yield* world.git(world.root, "clone", "--quiet", world.top, copy)
      const commit = (yield* world.git(copy, "rev-parse", "HEAD")).trim()
      yield* world.git(copy, "update-index", "--add", "--cacheinfo", `160000,${commit},sub`)
      yield* world.git(copy, "commit", "--quiet", "-m", "link")
      const repository = yield* world.service.open(copy)
      const head = ObjectId.make((yield* world.git(copy, "rev-parse", "HEAD")).trim())
      const linked = yield* world.service.diff(repository, { base: ObjectId.make(commit), head })
      expect(linked.files).toEqual([
        expect.objectContaining({ path: "sub", mode: "160000", patch: `@@ -0,0 +1 @@\n+Subproject commit ${commit}` })
      ])
    })
)
