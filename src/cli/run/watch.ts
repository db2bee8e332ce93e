/**
 * `charlotte watch`: follows a job to its end, or the events of all jobs.
 */
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { DaemonNotRunning } from "../../http/contract/errors.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import * as followRemote from "./followRemote.js"
import * as watchAll from "./watchAll.js"

export interface Options {
  readonly job: Option.Option<string>
  readonly json: boolean
}

export const watch = ({ job, json }: Options) =>
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
