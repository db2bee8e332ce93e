/**
 * What the jobs of a run live in.
 */
import type { JobConfig } from "../../src/domain/JobConfig.js"
import type { AnyJob } from "../../src/manager/Orchestrator.js"
import type { Kind } from "./Kind.js"
import type { Ledger } from "./Ledger.js"
import type { Machine } from "./Machine.js"
import type { Records } from "./Records.js"
import type { Repository } from "./Repository.js"

export interface World {
  readonly machine: Machine
  readonly ledger: Ledger
  readonly records: Records
  readonly repository: Repository
  readonly maxJobs: number
  /** Whether jobs are queued, park and are sent signals. The other seeds are about jobs that run at once, and about their work. */
  readonly waits: boolean
  /** What the jobs are of; without it, of tasks. */
  readonly kind: Kind | undefined
  /** Whether several nodes have the jobs. Then a job has to end within the time between a lease and a takeover. */
  readonly isCluster: boolean
  /** Whether every job is to come to its end by itself. */
  readonly isCalm: () => boolean
}

export type Job = AnyJob<JobConfig>
