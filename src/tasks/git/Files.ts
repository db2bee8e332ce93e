/** Files as a commit has them. */
import { Effect, Option } from "effect"
import * as Disk from "./Disk.js"
import type { ObjectId, RepoPath } from "./Names.js"
import type { Repository } from "./Repository.js"
import { type Sealed, sealed } from "./Sealed.js"

export interface TreeEntry {
  readonly mode: string
  readonly object: string
  readonly path: string
}

/** What a commit holds; all of it, or what is at one path. */
export const entries = (git: Sealed, commit: ObjectId, path?: RepoPath) =>
  Effect.map(
    git.run(
      path === undefined
        ? ["ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit]
        : ["ls-tree", "-z", "--full-tree", "--end-of-options", commit, path]
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

export const blob = (git: Sealed, object: string) =>
  Effect.map(git.run(["cat-file", "--end-of-options", "blob", object]), ({ stdout }) => stdout)

export type Content = Option.Option<Uint8Array>

/** The content of a file at a commit; none when there is no regular file. */
export const read = (repository: Repository, commit: ObjectId, path: RepoPath) =>
  sealed(repository, (git) =>
    Effect.gen(function* () {
      const entry = (yield* entries(git, commit, path)).find((found) => found.path === path)
      if (entry === undefined || !isRegular(entry)) return Option.none<Buffer>()
      return Option.some(yield* blob(git, entry.object))
    })
  )

const isFile = (path: string) =>
  Effect.map(
    Disk.look(path),
    Option.exists((stats) => stats.isFile())
  )

/** A line for git, which takes one that begins with a quotation mark for a quoted one. */
const line = (path: RepoPath): string => (path.startsWith('"') ? `"${path.replace(/["\\]/g, "\\$&")}"\n` : `${path}\n`)

/** Those of the files that are not in the user's checkout as they are in the commit. */
export const differing = (repository: Repository, commit: ObjectId, paths: ReadonlyArray<RepoPath>) =>
  sealed(
    repository,
    (git) =>
      Effect.gen(function* () {
        const committed = new Map(
          (yield* entries(git, commit)).filter(isRegular).map((entry) => [entry.path, entry.object])
        )
        const there = yield* Effect.filter(paths, (path) => isFile(`${repository.topLevel}/${path}`))
        // As they would be committed, with the line ends that are configured.
        const { stdout } = yield* git.run(["hash-object", "--stdin-paths"], { input: there.map(line).join("") })
        const objects = stdout.toString().split("\n")
        const present = new Map(there.map((path, i) => [path, objects[i]]))
        return paths.filter((path) => present.get(path) === undefined || present.get(path) !== committed.get(path))
      }),
    { workTree: repository.topLevel }
  )
