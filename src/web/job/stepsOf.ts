/**
 * The steps of a job: its own from its events, and those of the jobs that it retries from its record.
 */
import type { Job } from "../api/models.js"
import type { JobModel, Step } from "../../progress/JobModel.js"

export interface ListedStep extends Step {
  /** The job that has done it, if another one. */
  readonly of: string | undefined
}

export interface Steps {
  /** The newest last. */
  readonly steps: ReadonlyArray<ListedStep>
  /** How many earlier ones the record has left out. */
  readonly earlier: number
}

/** Until the events have arrived, the record has the newest of all. */
export const stepsOf = (
  { id, steps: recorded = [] }: Pick<Job, "id" | "steps">,
  model: Pick<JobModel, "steps">
): Steps => {
  const known = recorded
    .filter(({ jobId, name }) => jobId !== id || !model.steps.has(name))
    .map((step) => ({ ...step, of: step.jobId === id ? undefined : step.jobId }))
  const own = [...model.steps.values()].map((step) => ({ ...step, of: undefined }))
  const before = (recorded[0]?.seq ?? 1) - 1
  const names = new Set(recorded.map(({ name }) => name))
  const ownBefore = before === 0 ? 0 : own.filter(({ name }) => !names.has(name)).length
  return { steps: [...known, ...own], earlier: Math.max(0, before - ownBefore) }
}
