/**
 * Stops jobs: through the process that runs them, or in this process if none does.
 */
import { type Duration, Effect, Option } from "effect"
import type { JobId } from "../domain/JobId.js"
import { StopReport } from "../domain/StopReport.js"
import type * as JobClient from "../http/client/JobClient.js"
import * as JobRef from "./JobRef.js"
import * as JobSource from "./JobSource.js"

export interface Options {
  readonly grace: Option.Option<Duration.Duration>
}

const options = ({ grace }: Options) => Option.match(grace, { onNone: () => ({}), onSome: (grace) => ({ grace }) })

export const one = (name: string, given: Options) =>
  Effect.flatMap(
    JobSource.host,
    Option.match({
      onSome: ({ client }) => Effect.flatMap(JobRef.find(client, name), (id) => client.stop(id, options(given))),
      onNone: () =>
        Effect.flatMap(
          Effect.promise(() => import("./offline/withManager.js")),
          ({ withManager }) =>
            withManager((manager, jobs) =>
              Effect.flatMap(JobRef.find(jobs, name), (id) => manager.stop(id, options(given)))
            )
        )
    })
  )

/** Without a process that holds the home, no job is running. */
export const all = (given: Options) =>
  Effect.flatMap(
    JobSource.host,
    Option.match({
      onSome: ({ client }) => (Option.isNone(given.grace) ? client.stopAll : each(client, options(given))),
      onNone: (): Effect.Effect<ReadonlyArray<StopReport>> => Effect.succeed([])
    })
  )

const each = (client: JobClient.Service, given: ReturnType<typeof options>) =>
  Effect.flatMap(client.list({ status: "running", limit: 1_000 }), ({ jobs }) =>
    Effect.forEach(jobs, ({ id }) => orTimedOut(id, client.stop(id, given)), { concurrency: "unbounded" })
  )

/** A job that times out does not hide the reports of the others. */
const orTimedOut = (jobId: JobId, stop: ReturnType<JobClient.Service["stop"]>) =>
  Effect.catchTag(stop, "StopTimedOut", ({ elapsed }) =>
    Effect.succeed(new StopReport({ jobId, status: "running", mode: "timedOut", elapsed }))
  )
