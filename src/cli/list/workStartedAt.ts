import type { DateTime } from "effect"
import type { Run } from "../../domain/Run.js"

/** The time from which the duration of a job counts: excludes the time that it waited to be started. */
export const workStartedAt = ({
  attempt,
  createdAt,
  startedAt
}: Pick<Run, "attempt" | "createdAt" | "startedAt">): DateTime.Utc =>
  attempt === 1 && startedAt !== undefined ? startedAt : createdAt
