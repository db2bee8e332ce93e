/**
 * What the end of an orchestrator means for its job. It is decided here and nowhere else, once, from the `Exit`.
 */
import { Cause, Chunk, Exit, Option } from "effect"
import { toJson } from "../domain/Json.js"
import { RunError } from "../domain/Run.js"
import type { Change } from "../store/Port.js"

export type Outcome = Pick<Change, "result" | "error"> & {
  readonly type: "job.completed" | "job.failed" | "job.cancelled" | "job.interrupted"
}

/** Why a fiber may have been interrupted. */
export interface Circumstances {
  readonly stopping: boolean
  readonly closing: boolean
}

export const decide = (exit: Exit.Exit<unknown, unknown>, { closing, stopping }: Circumstances): Outcome =>
  Exit.match(exit, {
    onSuccess: (value): Outcome => ({ type: "job.completed", result: toJson(value) }),
    onFailure: (cause): Outcome => {
      const interrupted = Cause.isInterrupted(cause)
      if (interrupted && stopping) return { type: "job.cancelled", error: errorOf(cause) }
      if (interrupted && closing) return { type: "job.interrupted" }
      return { type: "job.failed", error: errorOf(cause) ?? selfInterrupted(cause) }
    }
  })

/** The failure or the defect in a cause; none where there is nothing but interruption. */
export const errorOf = (cause: Cause.Cause<unknown>): RunError | undefined => {
  const failure = Option.map(Cause.failureOption(cause), (error) => ({ kind: "failure" as const, error }))
  const defect = Option.map(Chunk.head(Cause.defects(cause)), (error) => ({ kind: "defect" as const, error }))
  return Option.getOrUndefined(
    Option.map(
      Option.orElse(failure, () => defect),
      ({ error, kind }) => runError(kind, error, render(cause))
    )
  )
}

/** The reason for which a job is not continued. */
export const recoveryError = (reason: string, cause: Cause.Cause<unknown> = Cause.empty): RunError =>
  runError("recovery", reason, Cause.isEmpty(cause) ? reason : `${reason}\n${render(cause)}`)

const selfInterrupted = (cause: Cause.Cause<unknown>): RunError =>
  runError("interrupted", "the orchestrator interrupted itself", render(cause))

/** An error that resists being read must not keep the end of its job from the record. */
const render = (cause: Cause.Cause<unknown>): string => {
  try {
    return Cause.pretty(cause, { renderErrorCause: true })
  } catch {
    return "the cause cannot be rendered: reading its error throws"
  }
}

const runError = (kind: RunError["kind"], error: unknown, cause: string): RunError =>
  new RunError({ kind, error: toJson(error), cause }, { disableValidation: true })
