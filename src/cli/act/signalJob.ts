/**
 * `charlotte signal`: sends a signal to a job, through the process that runs jobs, or in this process if none does.
 */
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import type { JobId } from "../../domain/JobId.js"
import type { Service as JobClient } from "../../http/client/JobClient.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import { sender } from "./sender.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { writeJson, writeLines } from "../terminal/Output.js"

export interface Options {
  readonly job: string
  readonly name: string
  readonly payload: Option.Option<unknown>
  readonly json: boolean
}

export const signalJob = ({ job, json, name, payload }: Options) =>
  Effect.gen(function* () {
    const host = yield* JobSource.host
    const send = (jobs: JobSource.Jobs, signal: JobClient["signal"]) =>
      Effect.gen(function* () {
        const id = yield* JobRef.find(jobs, job)
        const before = yield* Effect.option(jobs.get(id))
        yield* signal(id, name, Option.getOrUndefined(payload), { by: sender() })
        return { id, before }
      })
    const { before, id } = Option.isSome(host)
      ? yield* send(host.value.client, host.value.client.signal)
      : yield* Effect.flatMap(
          Effect.promise(() => import("../offline/withManager.js")),
          ({ withManager }) => withManager((manager, jobs) => send(jobs, manager.signal))
        )
    const wakes = Option.exists(before, ({ parked, status }) => status === "parked" && parked?.signal === name)
    yield* json
      ? writeJson({ id, signal: name, wakes })
      : writeLines([line(id, { name, wakes, isHosted: Option.isSome(host) })])
  }).pipe(Effect.provide(Home.layerUntouched))

interface Sent {
  readonly name: string
  /** Whether the job has parked for that signal. */
  readonly wakes: boolean
  /** Whether there is a process that runs jobs. */
  readonly isHosted: boolean
}

const line = (id: JobId, { isHosted, name, wakes }: Sent): StyledLine.Line => {
  const job = StyledLine.raw(`job ${id}`)
  const signal = StyledLine.piece(name, "name")
  const rest = isHosted ? "" : "; it resumes when a daemon runs: charlotte daemon start"
  return wakes
    ? [StyledLine.raw("✓ ", "good"), job, StyledLine.raw(" is woken by "), signal, StyledLine.raw(rest)]
    : [StyledLine.raw("· ", "faint"), job, StyledLine.raw(" keeps "), signal, StyledLine.raw(" until it asks for it")]
}
