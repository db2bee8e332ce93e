/** Files that are kept as they were when the work started, even if processes have changed or committed them since. */
import { Effect, Option } from "effect"
import { dirname } from "node:path"
import * as fs from "./fs.js"
import * as Files from "./Files.js"
import type { ObjectId, RepoPath } from "./RefNames.js"
import * as InjectedFiles from "./InjectedFiles.js"
import type { IsolatedGitDir } from "./IsolatedGitDir.js"

/** A protected file that was changed, with its former entry; none if it did not exist. */
export interface ProtectedFile {
  readonly path: RepoPath
  readonly was: Option.Option<Files.TreeEntry>
}

/** The files that differ between the index and a commit. */
export const differing = (git: IsolatedGitDir, commit: ObjectId) =>
  Effect.map(
    git.run(["diff-index", "--cached", "--no-renames", "--name-only", "-z", "--end-of-options", commit]),
    ({ stdout }) => Files.fields(stdout)
  )

/** Resets files in the index to a commit from which they differ. */
export const reset = (git: IsolatedGitDir, commit: ObjectId, changed: ReadonlyArray<RepoPath>) =>
  Effect.gen(function* () {
    if (changed.length === 0) return []
    const entries = new Map((yield* Files.entries(git, commit)).map((entry) => [entry.path, entry]))
    const kept = changed.map((path): ProtectedFile => ({ path, was: Option.fromNullable(entries.get(path)) }))
    const line = ({ path, was }: ProtectedFile) =>
      Option.match(was, {
        onNone: () => Files.removal(commit, path),
        onSome: ({ mode, object }) => `${mode} ${object} 0\t${path}\0`
      })
    yield* git.run(["update-index", "-z", "--index-info"], { input: kept.map(line).join("") })
    return kept
  })

/** Restores the files in the worktree; removes files that did not exist. */
export const lay = (git: IsolatedGitDir, top: string, kept: ReadonlyArray<ProtectedFile>) =>
  Effect.gen(function* () {
    for (const { path, was } of kept) {
      if (Option.isSome(was)) continue
      const file = `${top}/${path}`
      // A directory behind a symbolic link is elsewhere; the file itself may be a link.
      const isHere = Option.contains(yield* fs.real(dirname(file)), dirname(file))
      if (isHere && Option.isSome(yield* fs.stat(file))) yield* fs.remove(file)
    }
    yield* InjectedFiles.write(
      git,
      top,
      kept.flatMap(({ path, was }) => (Option.isSome(was) ? [path] : []))
    )
  })
