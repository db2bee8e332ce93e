/** Files that are committed with specified content, regardless of what processes did to them in the worktree. */
import { Effect, Option } from "effect"
import { createHash } from "node:crypto"
import { writeFileSync } from "node:fs"
import * as fs from "./fs.js"
import * as Files from "./Files.js"
import { step } from "./GitCommand.js"
import type { ObjectId, RepoPath } from "./RefNames.js"
import type { Repository } from "./Repository.js"
import type { IsolatedGitDir } from "./IsolatedGitDir.js"

export interface InjectedFile {
  readonly path: RepoPath
  readonly content: string | Uint8Array
  /** The content that the worktree should have before the commit; by default `content`. */
  readonly was?: string | Uint8Array
}

export type InjectedFiles = ReadonlyArray<InjectedFile>

const bytes = (content: string | Uint8Array): Uint8Array =>
  typeof content === "string" ? new TextEncoder().encode(content) : content

const expected = ({ content, was = content }: InjectedFile): Uint8Array => bytes(was)

const objectId = ({ objectFormat }: Repository, content: Uint8Array): string =>
  createHash(objectFormat).update(`blob ${content.length}\0`).update(content).digest("hex")

/** What is at a path of the worktree: the same bytes, another file, an obstacle such as a directory, or something else. */
const look = (top: string, put: InjectedFile) =>
  Effect.gen(function* () {
    const file = `${top}/${put.path}`
    const { promises: asked } = fs
    const [real, stats] = yield* step(`look at ${file}`, () => Promise.all([asked.real(file), asked.look(file)]))
    // A path through a symbolic link leads elsewhere.
    if (!Option.contains(real, file)) return "other"
    if (!Option.exists(stats, (found) => found.isFile())) return "obstacle"
    // The size rules out most files without reading them.
    const isAsLong = Option.exists(stats, ({ size }) => size === expected(put).length)
    const content = isAsLong ? yield* fs.read(file) : Option.none<Buffer>()
    return Option.exists(content, (found) => found.equals(expected(put))) ? "same" : "file"
  })

/**
 * Examines each path. A directory or a pipe is removed at once: git does not add a pipe, and a repository in the worktree is
 * refused.
 */
export const examine = (top: string, puts: InjectedFiles) =>
  Effect.forEach(puts, (put) =>
    Effect.gen(function* () {
      const there = yield* look(top, put)
      if (there === "obstacle") yield* fs.remove(`${top}/${put.path}`)
      return { put, there }
    })
  )

/** The paths whose content was not as expected, neither byte for byte nor as it would be committed. */
export const replaced = (
  repository: Repository,
  git: IsolatedGitDir,
  found: Effect.Effect.Success<ReturnType<typeof examine>>
) =>
  Effect.gen(function* () {
    const files = found.filter(({ there }) => there === "file").map(({ put }) => put.path)
    const objects = new Map(files.length === 0 ? [] : yield* Files.objects(git, files))
    return found
      .filter(({ put, there }) => there !== "same" && objects.get(put.path) !== objectId(repository, expected(put)))
      .map(({ put }) => put.path)
  })

/** Adds the files to the index, with the mode that they have in the commit; they replace anything in their way. */
export const enter = (repository: Repository, git: IsolatedGitDir, commit: ObjectId, puts: InjectedFiles) =>
  Effect.gen(function* () {
    if (puts.length === 0) return
    const files = puts.map((_, i) => `${git.directory}/put-${i}`)
    yield* step("write files", async () =>
      puts.forEach(({ content }, i) => writeFileSync(`${git.directory}/put-${i}`, content))
    )
    const committed = yield* Files.entries(
      git,
      commit,
      puts.map(({ path }) => path)
    )
    const modes = new Map(committed.filter(Files.isRegular).map(({ mode, path }) => [path, mode]))
    const lines = puts.map(
      ({ content, path }) => `${modes.get(path) ?? "100644"} ${objectId(repository, bytes(content))} 0\t${path}\0`
    )
    const input = files.map((file) => `${file}\n`).join("")
    yield* git.run(["hash-object", "-w", "--no-filters", "--stdin-paths"], { input })
    yield* git.run(["update-index", "-z", "--index-info"], { input: lines.join("") })
  })

/** Writes files of the index to the worktree, replacing anything in their way; git does not write through links. */
export const write = (git: IsolatedGitDir, top: string, paths: ReadonlyArray<RepoPath>) => {
  const input = paths.map((path) => `${path}\0`).join("")
  const checkout = git.run(["checkout-index", "--force", "--index", "-z", "--stdin"], { input })
  return paths.length === 0 ? Effect.void : Effect.asVoid(fs.unlocking(top, checkout))
}

export const lay = (git: IsolatedGitDir, top: string, puts: InjectedFiles) =>
  write(
    git,
    top,
    puts.map(({ path }) => path)
  )
