/**
 * Jobs and answers for tests of engines.
 */
import type { JobId } from "charlotte"
import { Duration, Effect } from "effect"
import type { Requests } from "../../../src/cluster/Engine.js"
import { StopReport } from "../../../src/domain/StopReport.js"
import { id } from "../../store/runs.js"

/** So many that every shard has some. */
export const ids: ReadonlyArray<JobId.JobId> = Array.from({ length: 4_000 }, (_, n) => id(n))

export const report = (jobId: JobId.JobId): StopReport =>
  new StopReport({
    jobId,
    status: "cancelled",
    mode: "forced",
    killed: [{ pid: 12, command: "größe ☃" }],
    elapsed: Duration.millis(1_234)
  })

/** Answers everything at once. */
export const willing: Requests = {
  wake: () => Effect.void,
  stop: (jobId) => Effect.succeed(report(jobId))
}
