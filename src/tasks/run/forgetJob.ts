/**
 * Removes what a job has left below a directory: its logs, and with a job that is removed, its work as `Prune` does.
 */
import type { PlatformError } from "@effect/platform/Error"
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Git } from "../../git/Git.js"
import type { RunStore } from "../../store/RunStore.js"
import * as Prune from "../Prune.js"

export const forgetJob = (logs: string, id: JobId): Effect.Effect<void, PlatformError, FileSystem> =>
  Effect.flatMap(FileSystem, (fs) => fs.remove(`${logs}/${id}`, { recursive: true, force: true }))

/** Removes the worktrees, branches and snapshots of a job. Work that exists nowhere else is kept, and the log says which. */
export const removeWork = (
  directory: string,
  id: JobId
): Effect.Effect<void, StoreError, FileSystem | Git | RunStore> =>
  Effect.flatMap(
    Prune.prune({ directory, jobs: [id] }),
    Effect.forEach(({ kept, problems }) =>
      Effect.zipRight(
        Effect.forEach(kept, ({ name, reason }) => Effect.logInfo(`kept ${name} of the removed job ${id}: ${reason}`)),
        Effect.forEach(problems, (problem) => Effect.logWarning(`of the removed job ${id} is left: ${problem}`))
      )
    )
  ).pipe(Effect.asVoid)
