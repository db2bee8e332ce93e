/**
 * The schedules at the process that runs jobs, or in the database if there is none.
 */
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { Problem } from "../../daemon/Problem.js"
import type { Schedule } from "../../domain/Schedule.js"
import { DaemonNotRunning } from "../../http/contract/errors.js"
import { acting } from "../act/acting.js"
import { sender } from "../act/sender.js"
import * as JobSource from "../target/JobSource.js"

export const list = acting(({ schedules }) => schedules)

const shown = ({ kind, name }: Pick<Schedule, "kind" | "name">): string => `${kind}/${name}`

/** The schedule that a command names. */
export const find = (named: string) =>
  Effect.flatMap(list, (all) => {
    const found = all.filter((schedule) => named === schedule.name || named === shown(schedule))
    const [first] = found
    if (first !== undefined && found.length === 1) return Effect.succeed(first)
    const isAmbiguous = first !== undefined
    const schedules = (isAmbiguous ? found : all).map(shown)
    const there = schedules.join(", ")
    return new Problem({
      name: "NoSuchSchedule",
      problem: isAmbiguous
        ? `several kinds have a schedule "${named}": name one of ${there}`
        : `no schedule "${named}"`,
      ...(!isAmbiguous && there !== "" && { hint: `there are ${there}` }),
      details: { name: named, schedules, isAmbiguous }
    })
  })

export const change = (what: "pause" | "unpause" | "remove", { kind, name }: Pick<Schedule, "kind" | "name">) =>
  acting((jobs) => jobs[`${what}Schedule`](kind, name, { by: sender() }))

/** Only a process that runs the schedule knows which job it starts. */
export const run = ({ kind, name }: Pick<Schedule, "kind" | "name">) =>
  Effect.gen(function* () {
    const host = yield* JobSource.host
    if (Option.isNone(host)) return yield* new DaemonNotRunning({ address: (yield* Home.Home).socket })
    return yield* host.value.client.runSchedule(kind, name, { by: sender() })
  })
