/**
 * Whether the repository that is named, or is around, is one in which jobs can be done.
 */
import { Path } from "@effect/platform/Path"
import { Effect, Option } from "effect"
import { Git } from "../../git/Git.js"
import type { GitError } from "../../git/GitError.js"
import type { RepositoryProblem } from "../../git/preflight.js"
import * as Finding from "./Finding.js"

export const look = (given: Option.Option<string>) =>
  Effect.gen(function* () {
    const git = yield* Git
    const path = yield* Path
    // The current directory may be gone.
    const place = yield* Effect.option(Effect.try(() => path.resolve(Option.getOrElse(given, () => "."))))
    if (Option.isNone(place)) return []
    const repository = yield* git.open(place.value)
    const problems = yield* git.problems(repository)
    return problems.length === 0 ? [Finding.ok("repository", repository.topLevel)] : problems.map(ofProblem)
  }).pipe(Effect.catchAll((error) => Effect.succeed(ofError(error, Option.isSome(given)))))

/** Of what is checked out only the want of a branch is told: another one can be named. */
const ofProblem = ({ kind, message }: RepositoryProblem): Finding.Finding =>
  Finding.told(kind === "detached" ? "warning" : "problem", "repository", message)

/** Nothing, where nobody has named one and there is none; git itself is looked at elsewhere. */
const ofError = (error: GitError, isNamed: boolean): ReadonlyArray<Finding.Finding> =>
  error._tag === "GitMissing" || error._tag === "GitTooOld" || (error._tag === "NotARepository" && !isNamed)
    ? []
    : [Finding.told("problem", "repository", error.message)]
