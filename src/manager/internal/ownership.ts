/**
 * Owning the jobs of a kind: one manager at a time, for as long as one of its jobs runs.
 */
import { Effect, Exit, Scope } from "effect"
import type { AlreadyManaged, StoreError } from "../../domain/errors.js"
import type { Core } from "./Core.js"
import { allEnded } from "./closeJobs.js"
import * as JobRegistry from "./JobRegistry.js"

/** Acquires the kind. It is given up when the scope closes, or, where a job has not ended by then, after the last one. */
export const acquireOwnership = <Config>(
  core: Core<Config>,
  id: string
): Effect.Effect<void, AlreadyManaged | StoreError, Scope.Scope> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const ownership = yield* Scope.make()
      const release = Scope.close(ownership, Exit.void)
      yield* Effect.addFinalizer(() =>
        Effect.flatMap(JobRegistry.isEmpty(core.jobs), (isEmpty) =>
          isEmpty ? release : core.fork(Effect.zipRight(allEnded(core), release))
        )
      )
      yield* Scope.extend(core.store.owners.acquire({ kind: core.kind, id }), ownership)
    })
  )
