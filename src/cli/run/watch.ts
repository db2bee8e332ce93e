/**
 * `charlotte watch`: follows a job to its end, or the events of all jobs.
 */
import { Effect, Option, Schema, Stream } from "effect"
import { JobEvent } from "../../domain/JobEvent.js"
import * as Home from "../../daemon/home/Home.js"
import { DaemonNotRunning } from "../../http/contract/errors.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import * as followRemote from "./followRemote.js"
import * as plainLines from "./plainLines.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { columns, Output, writeJson, writeLines } from "../terminal/Output.js"
import { timeZone } from "../terminal/timeZone.js"

export interface Options {
  readonly job: Option.Option<string>
  readonly json: boolean
}

export const watch = ({ job, json }: Options) =>
  Effect.gen(function* () {
    const host = yield* JobSource.host
    if (Option.isNone(job)) {
      if (Option.isSome(host)) return yield* followAll(host.value, json)
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

/** Follows the events of all jobs from now on, until it is interrupted. */
const followAll = ({ client, what }: JobSource.Host, json: boolean) =>
  Effect.gen(function* () {
    const { error } = yield* Output
    const zone = yield* timeZone
    const events = client.allEvents({
      after: "latest",
      patience: followRemote.patience[what],
      onConnection: (state) => error(`${followRemote.connection(what, state)}\n`)
    })
    const show = (event: JobEvent) =>
      Effect.gen(function* () {
        if (json) return yield* writeJson(encode(event))
        const width = (yield* columns) - 1
        const lines = Option.match(plainLines.line(event, zone), {
          onNone: () => [],
          onSome: (line) =>
            StyledLine.wrap([StyledLine.raw(`${JobRef.short(event.jobId)} `, "faint"), ...line], width, 2)
        })
        yield* writeLines(lines)
      })
    yield* Stream.runForEach(events, show)
  })

const encode = Schema.encodeSync(JobEvent)
