/**
 * Removes the logs of a job below a directory. Its branches and worktrees are work, which only `Prune` removes.
 */
import type { PlatformError } from "@effect/platform/Error"
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect } from "effect"
import type { JobId } from "../../domain/JobId.js"

export const forgetJob = (logs: string, id: JobId): Effect.Effect<void, PlatformError, FileSystem> =>
  Effect.flatMap(FileSystem, (fs) => fs.remove(`${logs}/${id}`, { recursive: true, force: true }))
