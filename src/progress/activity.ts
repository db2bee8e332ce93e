/**
 * What the units of a running job do at the moment, and what they have to recover from.
 */
import type { JobModel, Span, Task, Unit } from "./JobModel.js"

export interface Activity {
  /** The task at work, or in the pause before its next attempt. */
  readonly task: Task | undefined
  readonly span: Span | undefined
  readonly since: number
}

const lastIfOpen = <A extends { readonly to: number | undefined }>(
  all: ReadonlyArray<A> | undefined
): A | undefined => {
  const last = all?.at(-1)
  return last?.to === undefined ? last : undefined
}

export const activity = (unit: Unit): Activity => {
  const tasks = [...unit.tasks.values()]
  const task = tasks.findLast(({ attempts, pauses }) => lastIfOpen(attempts) ?? lastIfOpen(pauses))
  const attempt = lastIfOpen(task?.attempts)
  const whole = lastIfOpen(unit.spans) ?? lastIfOpen(task?.pauses)
  const ends = [unit, ...unit.spans, ...tasks.flatMap(({ attempts }) => attempts)].map(
    ({ from, to }) => to ?? from ?? 0
  )
  return { task, span: whole ?? lastIfOpen(attempt?.spans), since: (whole ?? attempt)?.from ?? Math.max(...ends) }
}

/** The latest failure of a unit that it has not recovered from. */
export const failureOf = ({ attempt }: JobModel, { spans, tasks }: Unit): Span | undefined => {
  const setup = spans.findLast(({ kind }) => kind === "setup")
  const ofTasks = [...tasks.values()].flatMap(({ attempts, state }) => {
    const all = attempts.filter(({ jobAttempt }) => jobAttempt === attempt).flatMap(({ spans }) => spans)
    const last = all.findLast(({ kind, state }) => state === "failed" || (kind === "gate" && state === "passed"))
    return state === "completed" || last?.state !== "failed" ? [] : [last]
  })
  return ofTasks.at(-1) ?? (setup?.state === "failed" ? setup : undefined)
}

/** The latest failure among the running units. */
export const failing = (model: JobModel): { readonly unit: Unit; readonly span: Span } | undefined => {
  const found = [...model.units.values()].flatMap((unit) => {
    const span = unit.state === "running" ? failureOf(model, unit) : undefined
    return span === undefined ? [] : [{ unit, span }]
  })
  return found.sort((a, b) => (b.span.to ?? 0) - (a.span.to ?? 0))[0]
}
