/**
 * What commands do with jobs, whether a process runs them or not.
 */
import type { InvalidConfiguration } from "../../daemon/config/ConfigurationFile.js"
import type { HomeUnusable } from "../../daemon/home/Home.js"
import type { HomeBusy } from "../../daemon/home/LockOwner.js"
import type { Problem } from "../../daemon/Problem.js"
import type { AlreadyManaged, StoreError } from "../../domain/errors.js"
import type { Service as JobClient } from "../../http/client/JobClient.js"
import type { Remote } from "../../http/client/Remote.js"
import type { Jobs } from "../offline/OfflineJobs.js"

/** Why the database of the home cannot be used. */
export type Failure = AlreadyManaged | HomeBusy | HomeUnusable | InvalidConfiguration | StoreError | Problem

type Requests = Pick<
  JobClient,
  | "answer"
  | "approve"
  | "pause"
  | "pauseSchedule"
  | "pin"
  | "prune"
  | "reject"
  | "remove"
  | "removeMany"
  | "removeSchedule"
  | "removeSubscriber"
  | "reschedule"
  | "retry"
  | "retryMany"
  | "retrySubscriber"
  | "schedules"
  | "signal"
  | "stop"
  | "stopAllBy"
  | "subscribers"
  | "unpause"
  | "unpauseSchedule"
  | "unpin"
>

export interface Acts extends Jobs, Remote<Requests, Failure> {
  /** Whether there is a process that runs jobs. */
  readonly isHosted: boolean
}
