/** What else a person should know of a task. */
import { Effect } from "effect"
import type { RunContext } from "./RunContext.js"

/** Keeps it with the task, and says it; once, however often the job comes to it. */
export const add = (
  { progress, tell }: RunContext,
  { task, unit }: { readonly unit: string; readonly task: number },
  note: string
) =>
  Effect.suspend(() => {
    const { notes } = progress.task(unit, task)
    if (notes.includes(note)) return Effect.void
    return Effect.zipRight(
      progress.changeTask(unit, task, { notes: [...notes, note] }),
      tell("task.noted", { note }, { unit, task })
    )
  })
