/**
 * Where a command works: the repository, and the directory of tasks in it.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Effect, Option } from "effect"
import { Git } from "../git/Git.js"
import { UsageError } from "./parser/UsageError.js"

export interface Given {
  readonly repo: Option.Option<string>
  /** Relative to `repo`, or else to the current directory. */
  readonly tasksDir: string
}

export const find = Effect.fnUntraced(function* ({ repo, tasksDir }: Given) {
  const fs = yield* FileSystem
  const git = yield* Git
  const path = yield* Path
  const given = yield* Effect.try({
    try: () => path.resolve(Option.getOrElse(repo, () => ".")),
    catch: () => new UsageError({ problem: "the current directory is not there any more; go to another", help: "pwd" })
  })
  const base = yield* Effect.orElseSucceed(fs.realPath(given), () => given)
  const repository = yield* git.open(base)
  const below = path.relative(repository.topLevel, path.resolve(base, tasksDir))
  const isInside = below.split(path.sep)[0] !== ".." && !path.isAbsolute(below)
  // What is inside is named as it is in the repository, which every message then does as well.
  return { repository, tasksDir: isInside ? below || "." : path.resolve(base, tasksDir) }
})
