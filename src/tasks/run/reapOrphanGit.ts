/**
 * What a manager that was killed has left at work in the worktrees of a job. Git is not among the processes that are recorded,
 * and goes on by itself: one that writes the files of a worktree would do so over what the next attempt does there.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option } from "effect"
import { ProcessTableRef } from "../../process/ProcessTable.js"
import * as ProcessTree from "../../process/ProcessTree.js"
import { kill } from "../../process/terminate.js"

/** Returns when no git of ours works below that directory. Where there is no `/proc`, none can be found. */
export const end = (worktrees: string): Effect.Effect<void, never, FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const table = yield* ProcessTableRef
    const directory = yield* Effect.option(fs.realPath(worktrees))
    if (Option.isNone(table) || Option.isNone(directory)) return
    // Nobody but us tells git in this way where to work.
    const cookie = `GIT_WORK_TREE=${directory.value}/`
    yield* kill(ProcessTree.make({ table, cookie, leader: undefined }))
  })
