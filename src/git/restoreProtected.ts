/**
 * Puts protected files of a worktree back to what they were at a commit, whatever processes have done to them since, in commits as well.
 * They are checked out beside the worktree and compared byte for byte, so that nothing in the worktree decides what has changed: neither
 * its index nor its attributes, which could make git take another text for the same file.
 */
import { Effect, Option, Schema } from "effect"
import type { Stats } from "node:fs"
import { chmod, copyFile, lstat, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises"
import { dirname } from "node:path"
import * as fs from "./fs.js"
import { step } from "./GitCommand.js"
import { type IsolatedGitDir, isolatedGitDir } from "./IsolatedGitDir.js"
import { type ObjectId, RepoPath } from "./RefNames.js"
import type { Repository } from "./Repository.js"
import { binary } from "./SnapshotPack.js"
import { mebibyte, shown } from "./SnapshotStream.js"
import * as Worktrees from "./Worktrees.js"

export interface Rule {
  /** Files, as git matches them from the top level: `*` and `?` match within a name, `**` matches directories. */
  readonly pattern: string
  /** Only this part of the files is protected; none if it cannot be put back into a text. */
  readonly part?: {
    readonly name: string
    readonly putBack: (start: string, text: string) => Option.Option<string>
  }
  /** Files that are added since are removed, too. */
  readonly refusesAdded?: boolean
}

export interface Options {
  readonly at: ObjectId
  readonly rules: ReadonlyArray<Rule>
  /** Files that are left alone. */
  readonly except: ReadonlyArray<RepoPath>
  /** The file that keeps what was changed, as a patch. */
  readonly patch: string
  /** Called before the first file is put back, once the patch is kept. */
  readonly before: (restored: Restored) => Effect.Effect<void>
}

export interface Restored {
  /** The files and parts that were put back, such as `package.json#scripts`, and the added files that were removed. */
  readonly changed: ReadonlyArray<string>
  /** Added files that match, and stay. */
  readonly added: ReadonlyArray<string>
  /** The files that are protected as a whole. */
  readonly files: ReadonlyArray<RepoPath>
}

/** A protected file at the commit. In names, each character is one byte. */
interface Protected {
  readonly name: string
  readonly object: string
  readonly isWhole: boolean
  readonly parts: ReadonlyArray<NonNullable<Rule["part"]>>
}

/** A protected file that is not as it was. */
interface Changed {
  readonly name: string
  /** What is shown of it: the file, or its parts. */
  readonly labels: ReadonlyArray<string>
  /** The path of the file that replaces it; undefined for an added file, which is removed. */
  readonly by: Buffer | undefined
}

/** Git's own magic, so that no character of a pattern is taken for it. */
const pathspec = (pattern: string): string => `:(top,glob)${pattern}`

/** Names of files are passed to git as they are, except in pathspecs. */
const matching = { variables: { GIT_LITERAL_PATHSPECS: "0" } }

/** Bytes of changed files in a patch; files beyond are left out. */
const maxKept = 50 * mebibyte

/** Files that are compared at once. */
const atOnce = 8

const input = (names: ReadonlyArray<string>): Buffer => Buffer.from(names.map((name) => `${name}\0`).join(""), "latin1")

export const restore = (
  repository: Repository,
  worktree: Worktrees.Worktree,
  { at, before, except, patch, rules }: Options
) =>
  Effect.zipRight(
    Worktrees.verify(repository, worktree),
    isolatedGitDir(repository, (git) =>
      Effect.gen(function* () {
        yield* git.run(["read-tree", "--end-of-options", at])
        const kept = new Set(except.map((path) => Buffer.from(path).toString("latin1")))
        const files = (yield* list(git, rules)).filter(({ name }) => !kept.has(name))
        const scene: Scene = { repository, worktree, git, directory: git.directory }
        yield* checkOut(git, `${git.directory}/start`, files)
        const changed = yield* compare(scene, files)
        const { added, refused } = yield* listAdded(scene, rules)
        const all = [...changed, ...refused.filter((name) => !kept.has(name)).map(removed)]
        const restored: Restored = {
          changed: all.flatMap(({ labels }) => labels),
          added: added.filter((name) => !refused.includes(name)).map(shown),
          files: files.filter(({ isWhole }) => isWhole).flatMap(({ name }) => Option.toArray(pathOf(name)))
        }
        if (all.length === 0) return restored
        yield* keepPatch(scene, all, patch)
        yield* before(restored)
        yield* putBack(worktree.path, all)
        return restored
      })
    )
  )

interface Scene {
  readonly repository: Repository
  readonly worktree: Worktrees.Worktree
  readonly git: IsolatedGitDir
  readonly directory: string
}

const pathOf = (name: string) => Schema.decodeOption(RepoPath)(Buffer.from(name, "latin1").toString())

const removed = (name: string): Changed => ({ name, labels: [shown(name)], by: undefined })

/** The protected files of the commit that is in the index. */
const list = (git: IsolatedGitDir, rules: ReadonlyArray<Rule>) =>
  Effect.gen(function* () {
    const found = new Map<string, Protected>()
    for (const { part, pattern } of rules) {
      const { stdout } = yield* git.run(["ls-files", "-z", "--stage", "--", pathspec(pattern)], matching)
      for (const line of binary.split(stdout)) {
        const [, object = "", name] = /^1[02]0\d+ (\w+) \d\t(.*)$/s.exec(line) ?? []
        if (name === undefined) continue
        const { isWhole = false, parts = [] } = found.get(name) ?? {}
        found.set(name, {
          name,
          object,
          isWhole: isWhole || part === undefined,
          parts: part === undefined ? parts : [...parts, part]
        })
      }
    }
    return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  })

const checkOut = (git: IsolatedGitDir, directory: string, files: ReadonlyArray<{ readonly name: string }>) =>
  git.run(["checkout-index", "-z", "--stdin", `--prefix=${directory}/`], {
    input: input(files.map(({ name }) => name))
  })

/** Checks out the files of the commit that match a pattern. */
const checkOutAll = (git: IsolatedGitDir, directory: string, pattern: string) =>
  Effect.gen(function* () {
    yield* step("make a directory", () => mkdir(directory))
    const { stdout } = yield* git.run(["ls-files", "-z", "--", pathspec(pattern)], matching)
    yield* checkOut(
      git,
      directory,
      binary.split(stdout).map((name) => ({ name }))
    )
  })

/** What is at a name: undefined if nothing is, and the file or link in its way if that is in the place of a directory. */
const look = async (top: string, name: string) => {
  for (let end = name.indexOf("/"); ; end = name.indexOf("/", end + 1)) {
    const at = end < 0 ? name : name.slice(0, end)
    const stats = await lstat(binary.path(top, at)).catch(() => undefined)
    if (stats === undefined) return undefined
    if (end < 0 || !stats.isDirectory()) return { at, stats }
  }
}

const bytesOf = async (path: Buffer, stats: Stats): Promise<Buffer | undefined> => {
  if (stats.isSymbolicLink()) return readlink(path, { encoding: "buffer" })
  return stats.isFile() ? readFile(path).catch(() => undefined) : undefined
}

/** Whether two files are the same, and if not, whether they are text files of the same mode. */
const difference = async ({ settings }: Repository, start: Buffer, now: Buffer, stats: Stats) => {
  const was = await lstat(start)
  const isExecutable = ({ mode }: Stats) => settings["core.filemode"] !== "false" && (mode & 0o100) !== 0
  const isAlike =
    was.isFile() === stats.isFile() &&
    was.isSymbolicLink() === stats.isSymbolicLink() &&
    (!was.isFile() || isExecutable(was) === isExecutable(stats))
  if (!isAlike) return "other"
  const [before, after] = await Promise.all([bytesOf(start, was), bytesOf(now, stats)])
  if (before === undefined || after === undefined) return "other"
  return before.equals(after) ? "none" : was.isFile() ? "content" : "other"
}

/** The files that are not as they were, with the files that replace them. */
const compare = (scene: Scene, files: ReadonlyArray<Protected>) =>
  Effect.gen(function* () {
    const { directory, repository, worktree } = scene
    const found = yield* Effect.forEach(
      files,
      (file) =>
        step("compare a protected file", async () => {
          const { name } = file
          const there = await look(worktree.path, name)
          if (there === undefined || there.at !== name) return { file, differs: "other" }
          const [start, now] = [binary.path(`${directory}/start`, name), binary.path(worktree.path, name)]
          return { file, differs: await difference(repository, start, now, there.stats) }
        }),
      { concurrency: atOnce }
    )
    const same = yield* sameToGit(
      scene,
      found.filter(({ differs }) => differs === "content").map(({ file }) => file)
    )
    const differing = found.filter(({ differs, file }) => differs !== "none" && !same.has(file.name))
    const changed = yield* Effect.forEach(differing, ({ file, differs }) =>
      differs === "content" && !file.isWhole ? partly(scene, file) : Effect.succeed(Option.some(wholly(scene, file)))
    )
    return changed.flatMap((change) => Option.toArray(change))
  })

/** The text files that git would commit as they were, by the attributes of the commit, such as one with other line endings. */
const sameToGit = ({ directory, git, repository, worktree }: Scene, files: ReadonlyArray<Protected>) =>
  Effect.gen(function* () {
    // The attributes of the worktree do not count, and names are separated by lines.
    const asked = files.filter(({ name }) => !/(^|\/)\.gitattributes$|["\n]/.test(name))
    if (asked.length === 0) return new Set<string>()
    const copies = `${directory}/copies`
    yield* checkOutAll(git, copies, "**/.gitattributes")
    yield* step("copy changed files", async () => {
      for (const { name } of asked) {
        await mkdir(dirnameOf(binary.path(copies, name)), { recursive: true })
        await copyFile(binary.path(worktree.path, name), binary.path(copies, name))
      }
    })
    const { stdout } = yield* isolatedGitDir(
      repository,
      (copied) =>
        copied.run(["hash-object", "--stdin-paths"], {
          input: Buffer.from(asked.map(({ name }) => `${name}\n`).join(""), "latin1")
        }),
      { workTree: copies }
    )
    const objects = stdout.toString().split("\n")
    return new Set(asked.filter(({ object }, i) => objects[i] === object).map(({ name }) => name))
  })

const dirnameOf = (path: Buffer): Buffer => Buffer.from(dirname(path.toString("latin1")), "latin1")

const wholly = ({ directory }: Scene, { name }: Protected): Changed => ({
  name,
  labels: [shown(name)],
  by: binary.path(`${directory}/start`, name)
})

/** Puts the parts of a file back into its text; the whole file if that is impossible. None if none of them has changed. */
const partly = (scene: Scene, file: Protected) =>
  step("put parts of a file back", async () => {
    const { directory, worktree } = scene
    const { name, parts } = file
    const [start, now] = [binary.path(`${directory}/start`, name), binary.path(worktree.path, name)]
    const [was, is] = await Promise.all([readFile(start, "utf8"), readFile(now)])
    let text = is.toString("utf8")
    const labels: Array<string> = []
    // A text that is no UTF-8 would not survive.
    if (!Buffer.from(text).equals(is)) return Option.some(wholly(scene, file))
    for (const { name: part, putBack } of parts) {
      const next = putBack(was, text)
      if (Option.isNone(next)) return Option.some(wholly(scene, file))
      if (next.value !== text) labels.push(`${shown(name)}#${part}`)
      text = next.value
    }
    if (labels.length === 0) return Option.none()
    const by = binary.path(`${directory}/parts`, name)
    await mkdir(dirnameOf(by), { recursive: true })
    await copyFile(now, by)
    await writeFile(by, text)
    return Option.some<Changed>({ name, labels, by })
  })

/** Files that match and are not in the commit; files that are refused also if they are ignored only since then. */
const listAdded = (scene: Scene, rules: ReadonlyArray<Rule>) =>
  Effect.gen(function* () {
    const { git, repository, worktree } = scene
    const whole = rules.filter(({ part }) => part === undefined)
    const closed = whole.filter(({ refusesAdded }) => refusesAdded === true)
    const others = (some: ReadonlyArray<Rule>, ...options: ReadonlyArray<string>) =>
      some.length === 0
        ? Effect.succeed([])
        : isolatedGitDir(
            repository,
            (there) =>
              Effect.map(
                there.run(
                  ["ls-files", "-z", "--others", ...options, "--", ...some.map(({ pattern }) => pathspec(pattern))],
                  matching
                ),
                ({ stdout }) => binary.split(stdout).filter((name) => !name.endsWith("/"))
              ),
            { workTree: worktree.path, index: git.index }
          )
    const found = yield* others(closed)
    const ignored = yield* ignoredAtStart(scene, found)
    return {
      added: yield* others(whole, "--exclude-standard"),
      refused: found.filter((name) => !ignored.has(name))
    }
  })

/** Which of the files the ignore rules of the commit ignore. */
const ignoredAtStart = ({ directory, git, repository }: Scene, names: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    if (names.length === 0) return new Set<string>()
    const rules = `${directory}/ignores`
    yield* checkOutAll(git, rules, "**/.gitignore")
    const { stdout } = yield* isolatedGitDir(
      repository,
      (there) =>
        there.run(["check-ignore", "-z", "--stdin"], {
          ...matching,
          // With `./`, no name is read as a pattern.
          input: input(names.map((name) => `./${name}`)),
          answers: [0, 1]
        }),
      { workTree: rules }
    )
    return new Set(binary.split(stdout).map((name) => name.slice(2)))
  })

/** Copies a file, a link or a directory; leaves out what is neither, and what there is no room for. */
const copy = async (from: Buffer, to: Buffer, room: { left: number }): Promise<void> => {
  const stats = await lstat(from).catch(() => undefined)
  if (stats === undefined || stats.size > room.left) return
  if (stats.isDirectory()) {
    for (const entry of await readdir(from, { encoding: "buffer" }))
      await copy(Buffer.concat([from, slash, entry]), Buffer.concat([to, slash, entry]), room)
    return
  }
  room.left -= stats.size
  await mkdir(dirnameOf(to), { recursive: true })
  if (stats.isSymbolicLink()) await symlink(await readlink(from, { encoding: "buffer" }), to)
  if (stats.isFile()) await copyFile(from, to).catch(() => undefined)
}

const slash = Buffer.from("/")

/** Keeps the changes that are to be undone, durably: from the files as they are put back to the files as they are. */
const keepPatch = ({ directory, repository, worktree }: Scene, changed: ReadonlyArray<Changed>, patch: string) =>
  Effect.gen(function* () {
    const compared = `${directory}/compared`
    yield* step("copy changed files", async () => {
      for (const side of ["a", "b"]) await mkdir(`${compared}/${side}`, { recursive: true })
      const copied = new Set<string>()
      const room = { left: maxKept }
      for (const { by, name } of changed) {
        if (by !== undefined) await copy(by, binary.path(`${compared}/a`, name), room)
        const there = await look(worktree.path, name)
        if (there === undefined || copied.has(there.at)) continue
        copied.add(there.at)
        await copy(binary.path(worktree.path, there.at), binary.path(`${compared}/b`, there.at), room)
      }
    })
    const options = ["--no-prefix", "--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"]
    const { stdout } = yield* isolatedGitDir(
      repository,
      (there) => there.run(["diff", "--no-index", ...options, "a", "b"], { answers: [0, 1] }),
      { workTree: compared }
    )
    yield* fs.replaceFlushed(patch, stdout, `keep ${patch}`)
  })

/** Whatever is in the way is removed; nothing is written through a link, or into a file that has other names. */
const putBack = (top: string, changed: ReadonlyArray<Changed>) =>
  fs.unlocking(
    top,
    step("put protected files back", async () => {
      for (const { by, name } of changed) {
        const there = await look(top, name)
        if (there !== undefined) await rm(binary.path(top, there.at), { recursive: true, force: true })
        if (by === undefined) continue
        const to = binary.path(top, name)
        await mkdir(dirnameOf(to), { recursive: true })
        const stats = await lstat(by)
        if (stats.isSymbolicLink()) await symlink(await readlink(by, { encoding: "buffer" }), to)
        else {
          await copyFile(by, to)
          await chmod(to, stats.mode)
        }
      }
    })
  )
