/**
 * Waits while settings of the repository that could execute commands differ from those at submission. Most likely the user made
 * the change, so the job does not fail: it waits before its next git operation until the change is undone. To accept the change,
 * stop and retry the job.
 */
import { Effect, Schedule } from "effect"
import type { Service } from "../../git/Git.js"
import type { GitError } from "../../git/GitError.js"
import type { EmitTaskEvent } from "./emitTaskEvent.js"

const pause = "1 second"

/** Wraps `Git` so that its operations wait while the repository is changed. Each change is reported once. */
export const whileChanged = (git: Service, emit: EmitTaskEvent): Service => {
  let reported: string | undefined
  const wait = <A>(operation: Effect.Effect<A, GitError>) =>
    operation.pipe(
      Effect.tapErrorTag("RepositoryChanged", ({ message }) =>
        Effect.suspend(() => {
          if (reported === message) return Effect.void
          reported = message
          return Effect.zipRight(emit("orch.waiting", { reason: message }), Effect.logWarning(`waiting: ${message}`))
        })
      ),
      Effect.retry({ while: ({ _tag }) => _tag === "RepositoryChanged", schedule: Schedule.spaced(pause) }),
      Effect.tap(() => Effect.sync(() => (reported = undefined)))
    )
  return {
    ...git,
    open: (...args) => wait(git.open(...args)),
    createBranch: (...args) => wait(git.createBranch(...args)),
    restore: (...args) => wait(git.restore(...args)),
    advance: (...args) => wait(git.advance(...args)),
    addWorktree: (...args) => wait(git.addWorktree(...args)),
    status: (...args) => wait(git.status(...args)),
    commit: (...args) => wait(git.commit(...args)),
    forward: (...args) => wait(git.forward(...args))
  }
}
