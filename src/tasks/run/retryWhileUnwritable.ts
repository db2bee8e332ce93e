/**
 * Waits while nothing can be written: the disk is full or fails, or the repository has become read-only. A gate that has passed is
 * worth the wait, and another attempt could not write either.
 */
import { Effect, Option, Predicate, Schedule } from "effect"
import type { Service as Git } from "../../git/Git.js"
import type { Repository } from "../../git/Repository.js"
import { isFull } from "../../process/FreeSpace.js"

const full = "the disk is full"

/** Messages of Node and git. Node has no name for `EDQUOT`, which is 122 on Linux and 69 on macOS. */
const problems: ReadonlyArray<readonly [pattern: RegExp, problem: string]> = [
  [/no space left on device|out of disk ?space/i, full],
  [/disc quota exceeded|disk quota exceeded|unknown system error -(122|69)\b/i, "the disk quota is used up"],
  [/read-only file system/i, "the file system is read-only"],
  [/input\/output error|\bi\/o error\b/i, "the disk reports input/output errors"]
]

/** The disk problem that an error reports. */
const ofMessage = (error: unknown): Option.Option<string> => {
  const message = Predicate.hasProperty(error, "message") ? String(error.message) : ""
  return Option.map(Option.fromNullable(problems.find(([pattern]) => pattern.test(message))), ([, problem]) => problem)
}

export type Diagnose = (error: unknown) => Effect.Effect<Option.Option<string>>

export const disk: Diagnose = (error) => Effect.sync(() => ofMessage(error))

/** Also diagnoses git errors that come from a repository without write permission. */
export const ofRepository =
  (git: Git, repository: Repository): Diagnose =>
  (error) => {
    const problem = ofMessage(error)
    return Option.isSome(problem) || !Predicate.isTagged(error, "GitFailed")
      ? Effect.succeed(problem)
      : Effect.orElseSucceed(git.unwritable(repository), Option.none)
  }

const schedule = Schedule.exponential("1 second").pipe(
  Schedule.union(Schedule.spaced("10 seconds")),
  Schedule.upTo("30 minutes")
)

/** Retries for up to half an hour. `onProblem` runs each time. */
export const retryWhileUnwritable =
  <E1, R1>(diagnose: Diagnose, onProblem: (problem: string) => Effect.Effect<void, E1, R1>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | E1, R | R1> =>
    Effect.retry(effect, {
      schedule,
      while: (error) =>
        Effect.flatMap(
          diagnose(error),
          Option.match({
            onNone: () => Effect.succeed(false),
            onSome: (problem) => Effect.as(onProblem(problem), true)
          })
        )
    })

/** Waits as long while the disk of a directory is full; returns whether it was, and has room again. `onProblem` runs once. */
export const untilRoom = <E, R>(
  directory: string,
  onProblem: (problem: string) => Effect.Effect<void, E, R>
): Effect.Effect<boolean, E, R> =>
  Effect.gen(function* () {
    if (!(yield* isFull(directory))) return false
    yield* onProblem(full)
    yield* Effect.repeat(isFull(directory), { schedule, while: (isFull) => isFull })
    return !(yield* isFull(directory))
  })
