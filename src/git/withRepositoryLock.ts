/** Guards every change to a repository: one at a time, only in the same unchanged repository, and once its locks are free. */
import { Context, Effect } from "effect"
import * as Permits from "../internal/Permits.js"
import * as Checkouts from "./Checkouts.js"
import * as fs from "./fs.js"
import * as Fingerprint from "./Fingerprint.js"
import * as Locks from "./Locks.js"
import { inRepository, type Repository, verifyPlace } from "./Repository.js"

/** One mutex per repository, by its place. */
export class Mutexes extends Context.Tag("charlotte/GitMutexes")<Mutexes, (place: string) => Permits.Permits>() {}

export const makeMutexes: Effect.Effect<Mutexes["Type"]> = Effect.sync(() => {
  const all = new Map<string, Permits.Permits>()
  return (identity) => {
    const mutex = all.get(identity) ?? Permits.make(1)
    all.set(identity, mutex)
    return mutex
  }
})

interface Options {
  /** Lock files to wait for, besides the repository-wide ones. */
  readonly locks?: ReadonlyArray<string>
  /** Cleaning up is allowed even if the fingerprint has changed. */
  readonly evenIfChanged?: boolean
}

/** Runs a change to the repository. */
export const mutate =
  (repository: Repository, options: Options = {}) =>
  <A, E, R>(change: Effect.Effect<A, E, R>) =>
    Effect.flatMap(Mutexes, (mutexes) =>
      mutexes(repository.place)(
        Effect.gen(function* () {
          yield* verifyPlace(repository)
          const common = ["config.lock", "packed-refs.lock"].map((name) => `${repository.commonDir}/${name}`)
          yield* Locks.settle([...common, ...(options.locks ?? [])], Checkouts.directories(repository))
          if (options.evenIfChanged !== true)
            yield* Fingerprint.verify(repository.topLevel, repository, repository.fingerprint)
          return yield* change
        })
      )
    )

/** Runs a git command of a change, and once more if a lock was taken between the check and the command. */
export const patiently = (
  repository: Repository,
  args: ReadonlyArray<string>,
  options?: Parameters<typeof inRepository>[2]
) => {
  const command = inRepository(repository, args, options)
  return Effect.catchTag(command, "GitFailed", (failure) =>
    Effect.gen(function* () {
      const lock = /'(\/[^']+\.lock)': File exists/.exec(failure.detail)?.[1]
      if (lock === undefined || !fs.isWithin(lock, repository.commonDir)) return yield* failure
      yield* Locks.settle([lock], Checkouts.directories(repository))
      return yield* command
    })
  )
}
