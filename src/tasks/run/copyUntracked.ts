/**
 * Copies untracked files such as `.env` from the user's checkout into a worktree, and never outside it.
 */
import type { PlatformError } from "@effect/platform/Error"
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Effect } from "effect"
import { cp, realpath } from "node:fs/promises"
import { Git } from "../../git/Git.js"
import type { ObjectId } from "../../git/RefNames.js"
import type { Worktree } from "../../git/Worktrees.js"
import type { RunContext } from "./RunContext.js"
import { CommandFailed } from "./errors.js"

export const into = ({ repository, snapshot }: RunContext, worktree: Worktree, commit: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    const path = yield* Path
    const files = snapshot.plan.settings.copy.map((file) => path.join(file, "."))
    if (files.length === 0) return
    for (const file of files) yield* copy(file, { from: repository.topLevel, to: worktree.path })
    // The ignore rules may differ from the checkout's, whose .gitignore may have uncommitted changes.
    const { changed } = yield* git.compare(repository, worktree, commit)
    const unignored = files.find((file) => changed.some((other) => other === file || other.startsWith(`${file}/`)))
    if (unignored === undefined) return
    return yield* failed(
      unignored,
      "was refused: git does not ignore it in the worktree; commit the .gitignore that does"
    )
  })

const failed = (file: string, reason: string) => new CommandFailed({ purpose: "copy", command: file, reason })

const copy = (file: string, { from, to }: { readonly from: string; readonly to: string }) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const path = yield* Path
    // A committed symbolic link may lead anywhere, so each directory is checked before the next is created.
    let directory = to
    for (const name of path.join(file, "..").split("/")) {
      directory = path.join(directory, name)
      yield* fs.makeDirectory(directory).pipe(Effect.catchIf(isExisting, () => Effect.void))
      const real = yield* Effect.orElseSucceed(fs.realPath(directory), () => "")
      if (real !== directory)
        return yield* failed(file, `was refused: ${path.relative(to, directory)} is a symbolic link in the worktree`)
    }
    yield* fs.remove(path.join(to, file), { recursive: true, force: true })
    yield* Effect.mapError(copyAll(path.join(from, file), path.join(to, file)), (reason) =>
      failed(file, `failed: ${reason}`)
    )
  })

const isExisting = (error: PlatformError) => error._tag === "SystemError" && error.reason === "AlreadyExists"

/** Follows `from` if it is a symbolic link; links within a directory are copied as links. Fails with the reason. */
const copyAll = (from: string, to: string) =>
  Effect.async<void, string>((resume, signal) => {
    // `cp` cannot be aborted; the filter skips the remaining files.
    const filter = () => !signal.aborted
    const options = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true, filter }
    const copying = realpath(from)
      .then((source) => cp(source, to, options))
      .then(
        () => resume(Effect.void),
        (cause) => resume(Effect.fail(cause instanceof Error ? cause.message : String(cause)))
      )
    return Effect.promise(() => copying)
  })
