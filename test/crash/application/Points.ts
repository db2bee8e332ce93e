/**
 * The points at which the application can be killed.
 */
import * as Daemons from "../Points.js"

const commits = [
  "append events",
  "attach to a job",
  "begin a job",
  "claim ownership",
  "index runs",
  "queue jobs",
  "record job.cancelled",
  "record job.completed",
  "record job.failed",
  "record job.interrupted",
  "record job.parked",
  "record job.stopping",
  "record job.timeout",
  "release ownership",
  "signal a job",
  "start a job",
  "wake a job",
  "wake jobs"
].map((write) => `commit ${write}`)

/** The end of a transaction of the application's own. */
export const all: ReadonlyArray<string> = [...commits, "transaction"].flatMap((name) => [
  `before ${name}`,
  `after ${name}`
])

export const isLook = (): boolean => false

/** Those that are passed before the application is ready. */
export const isEarly = (point: string): boolean => /commit (claim ownership|record job\.interrupted)$/.test(point)

export const isLate = Daemons.isLate
