/**
 * The repository around a command that writes tasks, and its directory of tasks: `tasks` at the top level, unless another is named.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Effect, Option } from "effect"
import { Git } from "../../git/Git.js"
import { command } from "../../git/shellQuote.js"
import { UsageError } from "../parser/UsageError.js"
import * as resolveTasksDir from "../start/resolveTasksDir.js"

export const standard = "tasks"

export interface Given {
  readonly repo: Option.Option<string>
  /** Relative to `repo`, or else to the current directory. */
  readonly tasks: Option.Option<string>
}

export const find = ({ repo, tasks }: Given) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const git = yield* Git
    const path = yield* Path
    const given = yield* resolveTasksDir.directoryOf(repo)
    const base = yield* Effect.orElseSucceed(fs.realPath(given), () => given)
    const repository = yield* git.open(base)
    const { topLevel } = repository
    const named = Option.map(tasks, (directory) => path.resolve(base, directory))
    const directory = path.relative(
      topLevel,
      Option.getOrElse(named, () => path.join(topLevel, standard))
    )
    const steps = directory.split(path.sep)
    if (steps[0] === ".." || steps.some((step) => step.toLowerCase() === ".git")) {
      return yield* new UsageError({
        problem: `${Option.getOrElse(tasks, () => directory)} is ${steps[0] === ".." ? `outside the repository ${topLevel}` : "inside .git"}`,
        hint: "name a directory in the repository"
      })
    }
    // With --repo, the current directory may be anywhere.
    const isElsewhere = Option.isSome(repo)
    const shown = (file: string) => {
      const absolute = path.join(topLevel, file)
      return isElsewhere ? absolute : path.relative(base, absolute) || "."
    }
    return {
      repository,
      /** Where the command was run, relative to the top level. */
      below: path.relative(topLevel, base),
      /** Relative to the top level. */
      directory: directory === "" ? "." : directory,
      shown,
      /** A command for the user's shell, in the current directory. */
      git: (...words: ReadonlyArray<string>) => command("git", ...(isElsewhere ? ["-C", topLevel] : []), ...words),
      charlotte: (...words: ReadonlyArray<string>) =>
        command("charlotte", ...words, ...(isElsewhere ? ["--repo", topLevel] : []))
    }
  })
