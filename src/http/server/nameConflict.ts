/**
 * Names the repository of a conflict by its path: the key that two jobs share holds device and inode.
 */
import { Effect } from "effect"
import { JobConflict } from "../../domain/errors.js"
import { withPath } from "../../tasks/run/conflictKey.js"

/** `config` is that of the job that was refused. */
export const nameConflict =
  <E2, R2>(config: Effect.Effect<unknown, E2, R2>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | E2 | JobConflict, R | R2> =>
    Effect.catchAll(effect, (error): Effect.Effect<never, E | E2 | JobConflict, R2> =>
      error instanceof JobConflict
        ? Effect.flatMap(config, (config) => new JobConflict({ jobId: error.jobId, key: withPath(error.key, config) }))
        : Effect.fail(error)
    )
