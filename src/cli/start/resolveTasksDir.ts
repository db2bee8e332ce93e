/**
 * Finds the repository that a command works in, and the task directory in it.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Effect, Option } from "effect"
import { Git } from "../../git/Git.js"
import { UsageError } from "../parser/UsageError.js"

export interface Given {
  readonly repo: Option.Option<string>
  /** Relative to `repo`, or else to the current directory. */
  readonly tasksDir: string
}

/** The directory of `--repo`, or the current one. */
export const directoryOf = (repo: Option.Option<string>): Effect.Effect<string, UsageError, Path> =>
  Effect.flatMap(Path, (path) =>
    Effect.try({
      try: () => path.resolve(Option.getOrElse(repo, () => ".")),
      catch: () => new UsageError({ problem: "the current directory no longer exists", hint: "change to another one" })
    })
  )

export const find = Effect.fnUntraced(function* ({ repo, tasksDir }: Given) {
  const fs = yield* FileSystem
  const git = yield* Git
  const path = yield* Path
  const given = yield* directoryOf(repo)
  const base = yield* Effect.orElseSucceed(fs.realPath(given), () => given)
  const repository = yield* git.open(base)
  const below = path.relative(repository.topLevel, path.resolve(base, tasksDir))
  const isInside = below.split(path.sep)[0] !== ".." && !path.isAbsolute(below)
  // Relative to the repository if it is inside, so that all messages name it that way.
  return { repository, tasksDir: isInside ? below || "." : path.resolve(base, tasksDir) }
})
