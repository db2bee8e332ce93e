/**
 * The ownership of the jobs of a kind: one manager at a time has it, for as long as one of its jobs runs.
 */
import { Duration, Effect, Exit, Scope } from "effect"
import type { AlreadyManaged, StoreError } from "../../domain/errors.js"
import * as background from "../../internal/background.js"
import { graceOnLoss } from "../../internal/timing.js"
import type { Core } from "./Core.js"
import { allEnded, closeJobs } from "./closeJobs.js"
import type { Options } from "../JobManagerService.js"
import * as JobRegistry from "./JobRegistry.js"

const letGo = <Config>(core: Core<Config>) =>
  Effect.zipRight(
    Effect.logError(
      `the database has not answered, or has another owner of kind "${core.kind}": all jobs are interrupted, and the next manager continues them`
    ),
    closeJobs(core, Duration.millis(graceOnLoss))
  )

/** Acquires the kind. It is released when the scope closes, or, if a job has not ended by then, after the last job. */
export const acquireOwnership = <Config>(
  core: Core<Config>,
  id: string,
  onLost: Options["onLost"] = (letGo) => letGo
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
      const { lost } = yield* Scope.extend(core.store.owners.acquire({ kind: core.kind, id }), ownership)
      yield* background.fork(Effect.zipRight(lost, onLost(letGo(core))))
    })
  )
