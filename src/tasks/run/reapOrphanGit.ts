/**
 * Kills git processes that a killed manager left running in the worktrees of a job. They are not recorded like other child
 * processes, and a git that checks out files would overwrite the work of the next attempt.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option } from "effect"
import { ProcessTableRef } from "../../process/ProcessTable.js"
import * as ProcessTree from "../../process/ProcessTree.js"
import { kill } from "../../process/terminate.js"

/**
 * Returns once no git process of Charlotte works below the directory, or in one of the worktrees that the job has adopted. Without
 * `/proc`, none can be found.
 */
export const reap = (directory: string, adopted: ReadonlyArray<string>): Effect.Effect<void, never, FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const table = yield* ProcessTableRef
    const real = yield* Effect.option(fs.realPath(directory))
    if (Option.isNone(table)) return
    // Only Charlotte sets this variable to a path in these directories.
    const cookies = [
      ...Option.toArray(Option.map(real, (directory) => `GIT_WORK_TREE=${directory}/`)),
      ...adopted.map((path) => `GIT_WORK_TREE=${path}\0`)
    ]
    for (const cookie of cookies) yield* kill(ProcessTree.make({ table, cookie, leader: undefined }))
  })
