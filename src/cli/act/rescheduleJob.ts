/**
 * `charlotte reschedule`: through the process that runs jobs, or in this process if none does.
 */
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { UsageError } from "../parser/UsageError.js"
import * as StartTime from "../start/StartTime.js"
import * as JobRef from "../target/JobRef.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import { acting } from "./acting.js"
import { sender } from "./sender.js"

export interface Options {
  readonly job: string
  readonly priority: Option.Option<number>
  readonly at: Option.Option<StartTime.StartTime>
  readonly now: boolean
  readonly json: boolean
}

export const rescheduleJob = ({ at, job, json, now, priority }: Options) =>
  Effect.gen(function* () {
    if (now && Option.isSome(at)) {
      return yield* new UsageError({ problem: "--at cannot be combined with --now", hint: "use one of them" })
    }
    if (!now && Option.isNone(at) && Option.isNone(priority)) {
      return yield* new UsageError({ problem: "nothing to change", hint: "add --priority N, --at TIME or --now" })
    }
    const options = {
      by: sender(),
      ...(Option.isSome(priority) && { priority: priority.value }),
      ...(Option.isSome(at) && { startAt: yield* StartTime.resolve(at.value) }),
      ...(now && { startAt: "now" as const })
    }
    const id = yield* acting((jobs) => Effect.tap(JobRef.find(jobs, job), (id) => jobs.reschedule(id, options)))
    yield* json
      ? writeJson({ id })
      : writeLines([
          [
            StyledLine.raw("✓ ", "good"),
            StyledLine.raw(`job ${id} is rescheduled; see what it waits for with: charlotte show ${id}`)
          ]
        ])
  }).pipe(Effect.provide(Home.layerUntouched))
