/**
 * `charlotte schedules run`, `pause`, `unpause` and `remove`.
 */
import { Effect } from "effect"
import * as Home from "../../daemon/home/Home.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import * as Schedules from "./Schedules.js"

interface Options {
  readonly schedule: string
  readonly json: boolean
}

const done = (text: string) => writeLines([[StyledLine.raw("✓ ", "good"), StyledLine.piece(text)]])

export const runSchedule = ({ json, schedule }: Options) =>
  Effect.gen(function* () {
    const { kind, name } = yield* Schedules.find(schedule)
    const id = yield* Schedules.run({ kind, name })
    yield* json
      ? writeJson({ kind, name, id })
      : done(`started job ${id} of the schedule ${name}; follow it with: charlotte watch ${id}`)
  }).pipe(Effect.provide(Home.layerUntouched))

const change =
  (what: "pause" | "unpause" | "remove", text: (name: string) => string) =>
  ({ json, schedule }: Options) =>
    Effect.gen(function* () {
      const { kind, name } = yield* Schedules.find(schedule)
      yield* Schedules.change(what, { kind, name })
      yield* json ? writeJson({ kind, name, [what]: true }) : done(text(name))
    }).pipe(Effect.provide(Home.layerUntouched))

export const pauseSchedule = change(
  "pause",
  (name) => `the schedule ${name} is paused; let it start jobs again with: charlotte schedules unpause ${name}`
)

export const unpauseSchedule = change("unpause", (name) => `the schedule ${name} starts jobs from its next tick on`)

export const removeSchedule = change("remove", (name) => `the schedule ${name} is removed`)
