/** Notes on a task, for the user. */
import { Effect } from "effect"
import type { TaskNote } from "../../domain/Work.js"
import type { RunContext } from "./RunContext.js"
import type { CommandResult } from "./runCommand.js"

interface About {
  readonly unit: string
  readonly task: number
}

/** Records a note with its task and emits it; a repeated note is ignored. */
export const add = ({ emit, progress }: RunContext, { task, unit }: About, note: TaskNote) =>
  Effect.suspend(() => {
    const { notes } = progress.task(unit, task)
    const text = JSON.stringify(note)
    if (notes.some((known) => JSON.stringify(known) === text)) return Effect.void
    return Effect.zipRight(
      progress.changeTask(unit, task, { notes: [...notes, note] }),
      emit("task.noted", { note }, { unit, task })
    )
  })

/** Notes the refs of the user that a command has moved. */
export const addMoved = (ctx: RunContext, about: About, by: string, { moved }: CommandResult) =>
  Effect.forEach(moved, (refs) => add(ctx, about, { _tag: "refsMoved", by, ...refs }), { discard: true })
