/**
 * `charlotte watch`: follows a job to its end, or everything that happens.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import { Effect, Option } from "effect"
import * as Home from "../../daemon/Home.js"
import { DaemonNotRunning } from "../../http/errors.js"
import * as JobName from "../JobName.js"
import * as Jobs from "../Jobs.js"
import * as AllJobs from "../run/AllJobs.js"
import * as Attached from "../run/Attached.js"
import { about, job, json } from "./parameters.js"

export const watch = Command.make("watch", { job: Args.optional(job), json }, ({ job, json }) =>
  Effect.gen(function* () {
    const host = yield* Jobs.host
    if (Option.isNone(job)) {
      if (Option.isSome(host)) return yield* AllJobs.follow(host.value, json)
      const { socket } = yield* Home.Home
      return yield* new DaemonNotRunning({ address: socket })
    }
    if (Option.isSome(host)) {
      const id = yield* JobName.find(host.value.client, job.value)
      return yield* Attached.follow({ host: host.value, id, json })
    }
    const jobs = yield* Jobs.recorded
    yield* Attached.replay(jobs, yield* JobName.find(jobs, job.value), json)
  }).pipe(Effect.provide(Home.layerUntouched), Effect.scoped)
).pipe(
  Command.withDescription(
    about(
      "Follows a job to its end, and answers as the job does. Without a job, it tells what happens in all of them. Ctrl-C only ends the watching.",
      "charlotte watch latest"
    )
  )
)
