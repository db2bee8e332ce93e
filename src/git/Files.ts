/** The files of a commit. */
import { Effect, Option } from "effect"
import * as fs from "./fs.js"
import type { ObjectId, RepoPath } from "./RefNames.js"
import { inRepository, type Repository } from "./Repository.js"
import { type IsolatedGitDir, isolatedGitDir } from "./IsolatedGitDir.js"

export interface TreeEntry {
  readonly mode: string
  readonly object: string
  readonly path: string
}

/** The fields of git's output that are separated by NUL, without empty ones. */
export const fields = (stdout: Buffer): ReadonlyArray<string> =>
  stdout
    .toString()
    .split("\0")
    .filter((field) => field !== "")

/** A line of the input of `git update-index --index-info` that removes a path, by name alone. */
export const removal = (commit: ObjectId, path: string): string => `0 ${"0".repeat(commit.length)}\t${path}\0`

/** The files of a commit: all of them, or the entries at some paths. */
export const entries = (git: IsolatedGitDir, commit: ObjectId, paths?: ReadonlyArray<RepoPath>) =>
  Effect.map(
    git.run(
      paths === undefined
        ? ["ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit]
        : ["ls-tree", "-z", "--full-tree", "--end-of-options", commit, ...paths]
    ),
    ({ stdout }) =>
      stdout
        .toString()
        .split("\0")
        .flatMap((line): ReadonlyArray<TreeEntry> => {
          const [, mode, object, name] = /^(\d+) \w+ (\w+)\t(.*)$/s.exec(line) ?? []
          return mode === undefined || object === undefined || name === undefined ? [] : [{ mode, object, path: name }]
        })
  )

export const isRegular = ({ mode }: TreeEntry): boolean => mode === "100644" || mode === "100755"

export const blob = (git: IsolatedGitDir, object: string) =>
  Effect.map(git.run(["cat-file", "--end-of-options", "blob", object]), ({ stdout }) => stdout)

export type Content = Option.Option<Uint8Array>

/** The content of a file at a commit; none if it is not a regular file. */
export const content = (git: IsolatedGitDir, commit: ObjectId, path: RepoPath) =>
  Effect.gen(function* () {
    const entry = (yield* entries(git, commit, [path])).find((found) => found.path === path)
    if (entry === undefined || !isRegular(entry)) return Option.none<Buffer>()
    return Option.some(yield* blob(git, entry.object))
  })

export const read = (repository: Repository, commit: ObjectId, path: RepoPath) =>
  isolatedGitDir(repository, (git) => content(git, commit, path))

/** The files and directories at these paths in a commit; nothing for a path that it does not have. */
export const entriesAt = (repository: Repository, commit: ObjectId, paths: ReadonlyArray<RepoPath>) =>
  isolatedGitDir(repository, (git) => entries(git, commit, paths))

const isFile = (path: string) =>
  Effect.map(
    fs.stat(path),
    Option.exists((stats) => stats.isFile())
  )

/** A line of input for git, which unquotes a line that starts with a quotation mark. */
const line = (path: RepoPath): string => (path.startsWith('"') ? `"${path.replace(/["\\]/g, "\\$&")}"\n` : `${path}\n`)

/** The object id that each file of the work tree would be committed as, with the configured line endings. */
export const objects = (git: IsolatedGitDir, paths: ReadonlyArray<RepoPath>) =>
  Effect.map(git.run(["hash-object", "--stdin-paths"], { input: paths.map(line).join("") }), ({ stdout }) => {
    const objects = stdout.toString().split("\n")
    return new Map(paths.map((path, i) => [path, objects[i]]))
  })

/** The files that differ between the user's checkout and the commit. */
export const differing = (repository: Repository, commit: ObjectId, paths: ReadonlyArray<RepoPath>) =>
  isolatedGitDir(
    repository,
    (git) =>
      Effect.gen(function* () {
        const committed = new Map(
          (yield* entries(git, commit)).filter(isRegular).map((entry) => [entry.path, entry.object])
        )
        const there = yield* Effect.filter(paths, (path) => isFile(`${repository.topLevel}/${path}`))
        const present = yield* objects(git, there)
        return paths.filter((path) => present.get(path) === undefined || present.get(path) !== committed.get(path))
      }),
    { workTree: repository.topLevel }
  )

/** The paths that are ignored in the user's checkout; a tracked file is not. */
export const ignored = (repository: Repository, paths: ReadonlyArray<RepoPath>) =>
  Effect.map(
    inRepository(repository, ["check-ignore", "-z", "--stdin"], {
      gitDir: repository.gitDir,
      workTree: repository.topLevel,
      // `check-ignore` does not support literal pathspecs; the `./` below keeps a path from being read as a pattern.
      variables: { GIT_LITERAL_PATHSPECS: "0" },
      input: paths.map((path) => `./${path}\0`).join(""),
      answers: [0, 1]
    }),
    ({ stdout }) => {
      const found = new Set(stdout.toString().split("\0"))
      return paths.filter((path) => found.has(`./${path}`))
    }
  )
