/**
 * `charlotte signal`: sends a signal to a job, through the process that runs jobs, or in this process if none does.
 */
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import type { JobId } from "../../domain/JobId.js"
import * as JobRef from "../target/JobRef.js"
import { acting } from "./acting.js"
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
    const { before, id, isHosted } = yield* acting((jobs) =>
      Effect.gen(function* () {
        const id = yield* JobRef.find(jobs, job)
        const before = yield* Effect.option(jobs.get(id))
        yield* jobs.signal(id, name, Option.getOrUndefined(payload), { by: sender() })
        return { id, before, isHosted: jobs.isHosted }
      })
    )
    const wakes = Option.exists(before, ({ parked, status }) => status === "parked" && parked?.signal === name)
    yield* json ? writeJson({ id, signal: name, wakes }) : writeLines([line(id, { name, wakes, isHosted })])
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
