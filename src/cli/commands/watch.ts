/**
 * `charlotte watch`: follows a job to its end, or everything that happens.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import { Effect, Option } from "effect"
import * as Home from "../../daemon/Home.js"
import { DaemonNotRunning } from "../../http/contract/errors.js"
import * as JobRef from "../JobRef.js"
import * as JobSource from "../JobSource.js"
import * as watchAll from "../run/watchAll.js"
import * as followRemote from "../run/followRemote.js"
import { about, job, json } from "./parameters.js"

export const watch = Command.make("watch", { job: Args.optional(job), json }, ({ job, json }) =>
  Effect.gen(function* () {
    const host = yield* JobSource.host
    if (Option.isNone(job)) {
      if (Option.isSome(host)) return yield* watchAll.follow(host.value, json)
      const { socket } = yield* Home.Home
      return yield* new DaemonNotRunning({ address: socket })
    }
    if (Option.isSome(host)) {
      const id = yield* JobRef.find(host.value.client, job.value)
      return yield* followRemote.follow({ host: host.value, id, json })
    }
    const jobs = yield* JobSource.recorded
    yield* followRemote.replay(jobs, yield* JobRef.find(jobs, job.value), json)
  }).pipe(Effect.provide(Home.layerUntouched), Effect.scoped)
).pipe(
  Command.withDescription(
    about(
      "Follows a job to its end, and answers as the job does. Without a job, it tells what happens in all of them. Ctrl-C only ends the watching.",
      "charlotte watch latest"
    )
  )
)
