/**
 * How long a job has worked, has waited, or will wait.
 */
import type { ListedJob } from "../api/models.js"
import * as format from "../../progress/format.js"

type Timed = Pick<ListedJob, "attempt" | "status" | "createdAt" | "startAt" | "startedAt" | "endedAt" | "parked">

/** A record has no earlier begin than that of the last attempt. */
const beganAt = ({ attempt, createdAt, startedAt }: Timed): number | undefined =>
  attempt === 1 ? startedAt : createdAt

export const elapsed = (job: Timed, now: number): string => {
  const { createdAt, endedAt, parked, startAt, status } = job
  const began = beganAt(job)
  switch (status) {
    case "running":
      return format.clock(now - (began ?? createdAt))
    case "pending":
      return startAt !== undefined && startAt > now ? format.ahead(startAt - now) : format.clock(now - createdAt)
    case "parked":
      return parked?.until !== undefined && parked.until > now ? format.ahead(parked.until - now) : ""
    case "interrupted":
      return ""
    default:
      return began === undefined || endedAt === undefined ? "" : format.clock(endedAt - began)
  }
}

/** All times of a job, for its tooltip. */
export const times = ({ attempt, createdAt, endedAt, startedAt }: Timed): string =>
  [
    `created ${format.dateTime(createdAt)}`,
    startedAt === undefined ? "" : `${attempt === 1 ? "started" : "continued"} ${format.dateTime(startedAt)}`,
    endedAt === undefined ? "" : `ended ${format.dateTime(endedAt)}`
  ]
    .filter((part) => part !== "")
    .join(", ")
