import type { DateTime } from "effect"
import type { Run } from "../domain/Run.js"

/** From when the duration of a job counts: without the time that it has waited to be started. */
export const workStartedAt = ({
  attempt,
  createdAt,
  startedAt
}: Pick<Run, "attempt" | "createdAt" | "startedAt">): DateTime.Utc =>
  attempt === 1 && startedAt !== undefined ? startedAt : createdAt
