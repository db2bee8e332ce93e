/**
 * Whether a job that has ended has work that `charlotte land` lands.
 */
import type { RunStatus } from "../domain/RunStatus.js"
import * as payload from "./payload.js"

interface Unit {
  readonly unit: string
  readonly state: string
}

export interface Ended {
  readonly kind: string
  readonly status: RunStatus
  readonly config?: unknown
  readonly result?: unknown
  readonly error?: { readonly error?: unknown } | undefined
  /** The job that retries it, and has its work. */
  readonly retriedAs?: string | undefined
  /** The job that has landed its work. */
  readonly landedAs?: string | undefined
  readonly units: ReadonlyArray<Unit>
  readonly tasks: ReadonlyArray<Unit>
}

/** Also the work of the job that a retry continues, which is in its base; that may have landed in part. */
export const isUnlanded = (job: Ended): boolean => {
  const { config, error, kind, landedAs, result, retriedAs, status, tasks, units } = job
  if (retriedAs !== undefined || landedAs !== undefined) return false
  const isOver = status === "completed" || status === "failed" || status === "cancelled"
  if (kind !== "tasks" || !isOver || payload.json(config, "dryRun") === true) return false
  if (payload.json(result, "pullRequest") !== undefined) return false
  if (payload.string(error?.error, "_tag") === "ResultRejected") return false
  if (payload.string(result, "landed") !== undefined || payload.list(error?.error, "landed").length > 0) return false
  const isRetry = payload.string(config, "retryOf") !== undefined && payload.string(config, "landOf") === undefined
  const isDone = ({ unit: name }: Unit): boolean =>
    tasks.filter(({ unit }) => unit === name).every(({ state }) => state === "completed" || state === "skipped")
  return units.some((unit) => {
    switch (unit.state) {
      case "merged":
        return true
      case "running":
      case "interrupted":
        return isDone(unit)
      default:
        return isRetry && unit.state === "skipped"
    }
  })
}
