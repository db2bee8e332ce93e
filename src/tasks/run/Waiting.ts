/**
 * Waits while git cannot work on the repository.
 *
 * Settings that could execute commands may differ from submission. Most likely the user made the change, so the job does not fail:
 * it waits before its next git operation until the change is undone. To accept the change, stop and retry the job. If nothing can
 * be written, because the disk is full or the repository is read-only, the job waits for half an hour.
 */
import { Effect, Schedule } from "effect"
import type { Service } from "../../git/Git.js"
import type { GitError } from "../../git/GitError.js"
import type { Repository } from "../../git/Repository.js"
import type { EmitTaskEvent } from "./emitTaskEvent.js"
import { ofRepository, retryWhileUnwritable } from "./retryWhileUnwritable.js"

const pause = "1 second"

/** Wraps `Git` so that its operations wait. Each reason is reported once. */
export const whileUnusable = (git: Service, emit: EmitTaskEvent): Service => {
  let reported: string | undefined
  const report = (reason: string) =>
    Effect.suspend(() => {
      if (reported === reason) return Effect.void
      reported = reason
      return Effect.zipRight(emit("orch.waiting", { reason }), Effect.logWarning(`waiting: ${reason}`))
    })
  const whileChanged = <A>(operation: Effect.Effect<A, GitError>) =>
    operation.pipe(
      Effect.tapErrorTag("RepositoryChanged", ({ message }) => report(message)),
      Effect.retry({ while: ({ _tag }) => _tag === "RepositoryChanged", schedule: Schedule.spaced(pause) })
    )
  const end = Effect.sync(() => (reported = undefined))
  const wait = <A>(operation: Effect.Effect<A, GitError>) => Effect.tap(whileChanged(operation), end)
  /** Wraps an operation that writes. */
  const waitToWrite =
    <Args extends ReadonlyArray<unknown>, A>(
      operation: (repository: Repository, ...args: Args) => Effect.Effect<A, GitError>
    ) =>
    (repository: Repository, ...args: Args) =>
      retryWhileUnwritable(
        ofRepository(git, repository),
        report
      )(whileChanged(operation(repository, ...args))).pipe(Effect.tap(end))
  return {
    ...git,
    open: (...args) => wait(git.open(...args)),
    createBranch: waitToWrite(git.createBranch),
    restore: waitToWrite(git.restore),
    advance: waitToWrite(git.advance),
    addWorktree: waitToWrite(git.addWorktree),
    adoptWorktree: waitToWrite(git.adoptWorktree),
    reopenWorktree: waitToWrite(git.reopenWorktree),
    compare: waitToWrite(git.compare),
    status: waitToWrite(git.status),
    // The task waits to write, and notes it.
    commit: (...args) => wait(git.commit(...args)),
    merge: waitToWrite(git.merge),
    forward: waitToWrite(git.forward)
  }
}
