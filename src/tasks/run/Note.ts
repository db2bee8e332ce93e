/** Remarks on a task, for the user. */
import { Effect } from "effect"
import type { RunContext } from "./RunContext.js"

/** Records a note with its task and emits it; a repeated note is ignored. */
export const add = (
  { emit, progress }: RunContext,
  { task, unit }: { readonly unit: string; readonly task: number },
  note: string
) =>
  Effect.suspend(() => {
    const { notes } = progress.task(unit, task)
    if (notes.includes(note)) return Effect.void
    return Effect.zipRight(
      progress.changeTask(unit, task, { notes: [...notes, note] }),
      emit("task.noted", { note }, { unit, task })
    )
  })
