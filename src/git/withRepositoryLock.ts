/** What stands around every change to a repository: one at a time, in the right repository, unchanged, with no lock left. */
import { Context, Effect } from "effect"
import * as Checkouts from "./Checkouts.js"
import * as fs from "./fs.js"
import * as Fingerprint from "./Fingerprint.js"
import * as Locks from "./Locks.js"
import { inRepository, type Repository, verifyIdentity } from "./Repository.js"

/** The semaphore of each repository by its identity; there are as many as repositories were ever changed. */
export class Mutexes extends Context.Tag("charlotte/GitMutexes")<Mutexes, (identity: string) => Effect.Semaphore>() {}

export const makeMutexes: Effect.Effect<Mutexes["Type"]> = Effect.sync(() => {
  const all = new Map<string, Effect.Semaphore>()
  return (identity) => {
    const mutex = all.get(identity) ?? Effect.unsafeMakeSemaphore(1)
    all.set(identity, mutex)
    return mutex
  }
})

interface Options {
  /** Locks that would be in the way, besides those of the repository as a whole. */
  readonly locks?: ReadonlyArray<string>
  /** To clear up is allowed in a repository that was changed, too. */
  readonly evenIfChanged?: boolean
}

/** Makes a change to the repository. */
export const mutate =
  (repository: Repository, options: Options = {}) =>
  <A, E, R>(change: Effect.Effect<A, E, R>) =>
    Effect.flatMap(Mutexes, (mutexes) =>
      mutexes(repository.identity).withPermits(1)(
        Effect.gen(function* () {
          yield* verifyIdentity(repository)
          const common = ["config.lock", "packed-refs.lock"].map((name) => `${repository.commonDir}/${name}`)
          yield* Locks.settle([...common, ...(options.locks ?? [])], Checkouts.directories(repository))
          if (options.evenIfChanged !== true)
            yield* Fingerprint.verify(repository.topLevel, repository, repository.fingerprint)
          return yield* change
        })
      )
    )

/** Runs a git command of a change; once more when a lock was taken between the look and the command. */
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
