/**
 * A repository in which settings were changed that git could execute or follow. Whose doing that was cannot be seen, and most
 * likely it was the user's, so nothing of the work is given up for it: the job waits, right before it would change something,
 * until the change is undone. Who wants to accept it stops the job and retries it.
 */
import { Effect, Schedule } from "effect"
import type { Service } from "../../git/Git.js"
import type { GitError } from "../../git/GitError.js"
import type { EmitTaskEvent } from "./emitTaskEvent.js"

const pause = "1 second"

/** The operations of git, each of which waits for as long as the repository is changed; that is told once each time. */
export const whileChanged = (git: Service, tell: EmitTaskEvent): Service => {
  let told: string | undefined
  const wait = <A>(operation: Effect.Effect<A, GitError>) =>
    operation.pipe(
      Effect.tapErrorTag("RepositoryChanged", ({ message }) =>
        Effect.suspend(() => {
          if (told === message) return Effect.void
          told = message
          return Effect.zipRight(tell("orch.waiting", { reason: message }), Effect.logWarning(`waiting: ${message}`))
        })
      ),
      Effect.retry({ while: ({ _tag }) => _tag === "RepositoryChanged", schedule: Schedule.spaced(pause) }),
      Effect.tap(() => Effect.sync(() => (told = undefined)))
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
