/**
 * How long a job has worked, has waited, or will wait.
 */
import type { ListedJob } from "../api/models.js"
import * as format from "../../progress/format.js"

type Timed = Pick<ListedJob, "status" | "createdAt" | "startAt" | "startedAt" | "endedAt" | "parked">

export const elapsed = ({ createdAt, endedAt, parked, startAt, startedAt, status }: Timed, now: number): string => {
  switch (status) {
    case "running":
      return format.clock(now - (startedAt ?? createdAt))
    case "pending":
      return startAt !== undefined && startAt > now ? format.ahead(startAt - now) : format.clock(now - createdAt)
    case "parked":
      return parked?.until !== undefined && parked.until > now ? format.ahead(parked.until - now) : ""
    case "interrupted":
      return ""
    default:
      return startedAt === undefined || endedAt === undefined ? "" : format.clock(endedAt - startedAt)
  }
}

/** All times of a job, for its tooltip. */
export const times = ({ createdAt, endedAt, startedAt }: Timed): string =>
  [
    `created ${format.dateTime(createdAt)}`,
    startedAt === undefined ? "" : `started ${format.dateTime(startedAt)}`,
    endedAt === undefined ? "" : `ended ${format.dateTime(endedAt)}`
  ]
    .filter((part) => part !== "")
    .join(", ")
