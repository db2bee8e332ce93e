/**
 * Kills git processes that a killed manager left running in the worktrees of a job. They are not recorded like other child
 * processes, and a git that checks out files would overwrite the work of the next attempt.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option } from "effect"
import { ProcessTableRef } from "../../process/ProcessTable.js"
import * as ProcessTree from "../../process/ProcessTree.js"
import { kill } from "../../process/terminate.js"

/** Returns once no git process of Charlotte works below the directory. Without `/proc`, none can be found. */
export const reap = (worktrees: string): Effect.Effect<void, never, FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const table = yield* ProcessTableRef
    const directory = yield* Effect.option(fs.realPath(worktrees))
    if (Option.isNone(table) || Option.isNone(directory)) return
    // Only Charlotte sets this variable to a path in this directory.
    const cookie = `GIT_WORK_TREE=${directory.value}/`
    yield* kill(ProcessTree.make({ table, cookie, leader: undefined }))
  })
