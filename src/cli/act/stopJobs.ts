/**
 * Stops jobs: through the process that runs them, or in this process if none does.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { type Duration, Effect, Option } from "effect"
import { Home } from "../../daemon/home/Home.js"
import * as HomeDatabase from "../../daemon/home/HomeDatabase.js"
import type { JobId } from "../../domain/JobId.js"
import { StopReport } from "../../domain/StopReport.js"
import type * as JobClient from "../../http/client/JobClient.js"
import * as race from "../../internal/race.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import { acting } from "./acting.js"
import { sender } from "./sender.js"

export interface Options {
  readonly grace: Option.Option<Duration.Duration>
}

const options = ({ grace }: Options) => ({ by: sender(), ...(Option.isSome(grace) && { grace: grace.value }) })

export const one = (name: string, given: Options) =>
  acting((jobs) => Effect.flatMap(JobRef.find(jobs, name), (id) => jobs.stop(id, options(given))))

/** As `JobManager.stopAllBy`: waiting jobs are cancelled, too, even if no process holds the home. */
export const all = (given: Options) =>
  Effect.gen(function* () {
    const host = yield* JobSource.host
    if (Option.isNone(host)) return yield* allRecorded
    const { client } = host.value
    if (Option.isNone(given.grace)) return yield* client.stopAllBy(sender())
    // A waiting job starts when a permit is released, so stop the remaining jobs afterwards.
    const running = yield* each(client, options(given))
    const others = yield* client.stopAllBy(sender())
    return [...running, ...others.filter(({ jobId }) => running.every((report) => report.jobId !== jobId))]
  })

const allRecorded = Effect.gen(function* () {
  const fs = yield* FileSystem
  const { database } = yield* Home
  // Do not create a home just to find it empty.
  const { _tag: kind } = yield* HomeDatabase.chosenToRead
  if (kind === "Sqlite" && !(yield* Effect.orElseSucceed(fs.exists(database), () => false))) return []
  return yield* acting((jobs) => jobs.stopAllBy(sender()))
})

const each = (client: JobClient.Service, given: ReturnType<typeof options>) =>
  Effect.flatMap(client.list({ status: "running", limit: 1_000 }), ({ jobs }) =>
    race.map(jobs, jobs.length, ({ id }) => orTimedOut(id, client.stop(id, given)))
  )

/** A job that times out does not hide the reports of the others. */
const orTimedOut = (jobId: JobId, stop: ReturnType<JobClient.Service["stop"]>) =>
  Effect.catchTag(stop, "StopTimedOut", ({ elapsed }) =>
    Effect.succeed(new StopReport({ jobId, status: "running", mode: "timedOut", elapsed }))
  )
