/**
 * Checks the repository of --repo or of the current directory.
 */
import { Path } from "@effect/platform/Path"
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { Git } from "../../git/Git.js"
import type { GitError } from "../../git/GitError.js"
import type { RepositoryProblem } from "../../git/preflight.js"
import * as Finding from "./Finding.js"

export const check = (given: Option.Option<string>) =>
  Effect.gen(function* () {
    const git = yield* Git
    const path = yield* Path
    // The current directory may have been deleted.
    const place = yield* Effect.option(Effect.try(() => path.resolve(Option.getOrElse(given, () => "."))))
    if (Option.isNone(place)) return []
    const repository = yield* git.open(place.value)
    const problems = yield* git.problems(repository, undefined, yield* worktrees)
    return problems.length === 0 ? [Finding.ok("repository", repository.topLevel)] : problems.map(ofProblem)
  }).pipe(Effect.catchAll((error) => Effect.succeed(ofError(error, Option.isSome(given)))))

/** Where jobs would work; an unusable home is reported by its own check. */
const worktrees = Home.Home.pipe(
  Effect.map(({ worktrees }) => ({ worktrees })),
  Effect.provide(Home.layerUntouched),
  Effect.orElseSucceed(() => ({}))
)

/** A detached HEAD is only a warning: --target can name a branch. */
const ofProblem = ({ kind, message }: RepositoryProblem): Finding.Finding =>
  Finding.fromMessage(kind === "detached" ? "warning" : "problem", "repository", message)

/** Nothing if the current directory is in no repository; git itself is checked elsewhere. */
const ofError = (error: GitError, isNamed: boolean): ReadonlyArray<Finding.Finding> =>
  error._tag === "GitMissing" || error._tag === "GitTooOld" || (error._tag === "NotARepository" && !isNamed)
    ? []
    : [Finding.fromMessage("problem", "repository", error.message)]
