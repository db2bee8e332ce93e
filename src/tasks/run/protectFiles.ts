/**
 * Puts protected files back to what they were when the task began, before its gate runs. What the agent did to them is kept as a patch.
 */
import { Effect } from "effect"
import { Git } from "../../git/Git.js"
import type { Restored } from "../../git/restoreProtected.js"
import type { RepoPath } from "../../git/RefNames.js"
import * as plainText from "../../internal/plainText.js"
import type { Task, Unit } from "../plan/Plan.js"
import * as Protection from "../plan/Protection.js"
import type { TaskPosition } from "./commitTask.js"
import { protectionOf } from "./firstPrompt.js"
import * as Note from "./Note.js"
import { disk, retryWhileUnwritable } from "./retryWhileUnwritable.js"
import type { RunContext } from "./RunContext.js"

/** What is protected while a task is worked on. */
export const of = ({ snapshot }: RunContext, task: Task): Protection.Protection =>
  protectionOf(task, snapshot.plan.settings)

/** What was put back, and the file that keeps the changes. */
export interface PutBack extends Restored {
  readonly patch: string
}

/**
 * The note comes before the first file is put back: after a crash in between, nothing else would tell. `patch`: the file for the changes.
 */
export const putBack = (
  ctx: RunContext,
  unit: Unit,
  task: Task,
  { tip, worktree }: TaskPosition,
  { except = [], patch }: { readonly patch: string; readonly except?: ReadonlyArray<RepoPath> }
) =>
  Effect.gen(function* () {
    const protection = of(ctx, task)
    const nothing: PutBack = { changed: [], added: [], files: [], patch }
    if (protection.length === 0) return nothing
    const git = yield* Git
    const about = { unit: unit.id, task: task.number }
    const restoring = git.restoreProtected(ctx.repository, worktree, {
      at: tip,
      rules: Protection.rules(protection),
      except: [...ctx.keep, ...except],
      patch,
      before: ({ changed }) => Effect.orDie(Note.add(ctx, about, { _tag: "protected", files: changed, patch }))
    })
    const onProblem = (problem: string) =>
      Note.add(ctx, about, `${problem}: protected files are put back once it can be written`)
    const restored = yield* retryWhileUnwritable(disk, onProblem)(restoring)
    const putBack: PutBack = { ...restored, patch }
    return putBack
  })

/** How many files a reason names. */
const shown = 10

/** For the next prompt, after a gate that failed; empty if nothing was put back. */
export const clause = ({ changed, patch }: PutBack): string => {
  if (changed.length === 0) return ""
  const names = plainText.few(changed.map(plainText.line), shown)
  return `; before it ran, protected files had been put back to what they were when the task began: ${names} (the changes are in ${patch})`
}
