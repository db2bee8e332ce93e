/**
 * The untracked files that each worktree needs, such as `.env`: brought from the user's checkout, and to nowhere else than into
 * the worktree.
 */
import type { PlatformError } from "@effect/platform/Error"
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Effect } from "effect"
import { cp, realpath } from "node:fs/promises"
import { Git } from "../../git/Git.js"
import type { Worktree } from "../../git/Worktrees.js"
import type { RunContext } from "./RunContext.js"
import { CommandFailed } from "./errors.js"

export const bring = ({ repository, submission }: RunContext, worktree: Worktree) =>
  Effect.gen(function* () {
    const git = yield* Git
    const path = yield* Path
    const files = submission.plan.settings.copy.map((file) => path.join(file, "."))
    if (files.length === 0) return
    for (const file of files) yield* copy(file, { from: repository.topLevel, to: worktree.path })
    // The rules by which git ignores files need not be the same here: what the user has changed is not committed yet.
    const { changed } = yield* git.status(repository, worktree)
    const exposed = files.find((file) => changed.some((other) => other === file || other.startsWith(`${file}/`)))
    if (exposed === undefined) return
    return yield* failed(exposed, "is not done: git does not ignore it there; commit the .gitignore that does")
  })

const failed = (file: string, reason: string) => new CommandFailed({ purpose: "copy", command: file, reason })

const copy = (file: string, { from, to }: { readonly from: string; readonly to: string }) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const path = yield* Path
    // What is committed there may be a link that leads anywhere; so each directory is looked at before the next is made.
    let directory = to
    for (const name of path.join(file, "..").split("/")) {
      directory = path.join(directory, name)
      yield* fs.makeDirectory(directory).pipe(Effect.catchIf(isThere, () => Effect.void))
      const real = yield* Effect.orElseSucceed(fs.realPath(directory), () => "")
      if (real !== directory)
        return yield* failed(file, `is not done: ${path.relative(to, directory)} is a link there, and leads elsewhere`)
    }
    yield* fs.remove(path.join(to, file), { recursive: true, force: true })
    yield* Effect.mapError(copyAll(path.join(from, file), path.join(to, file)), (reason) =>
      failed(file, `failed: ${reason}`)
    )
  })

const isThere = (error: PlatformError) => error._tag === "SystemError" && error.reason === "AlreadyExists"

/** Fails with the reason. A link is followed to what the user has there; those within a directory stay what they are. */
const copyAll = (from: string, to: string) =>
  Effect.async<void, string>((resume, signal) => {
    // Node has no way to end it but to leave out what is still to come.
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
