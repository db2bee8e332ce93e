/**
 * The schedules at the process that runs jobs, or in the database if there is none.
 */
import { Effect, Option, Schema } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { type Schedule, withNext } from "../../domain/Schedule.js"
import { DaemonNotRunning } from "../../http/contract/errors.js"
import { now } from "../../internal/now.js"
import { sender } from "../act/sender.js"
import * as JobSource from "../target/JobSource.js"

/** No schedule has that name, or several have it. */
export class NoSuchSchedule extends Schema.TaggedError<NoSuchSchedule>()("NoSuchSchedule", {
  name: Schema.String,
  /** The schedules of that name; all if there is none. */
  schedules: Schema.Array(Schema.String),
  isAmbiguous: Schema.Boolean
}) {
  override get message() {
    const { isAmbiguous, name, schedules } = this
    if (isAmbiguous) return `several kinds have a schedule "${name}": name one of ${schedules.join(", ")}`
    return `no schedule "${name}"${schedules.length === 0 ? "" : `; there are ${schedules.join(", ")}`}`
  }
}

const offline = Effect.promise(() => import("../offline/withStore.js"))

export const list = Effect.gen(function* () {
  const host = yield* JobSource.host
  if (Option.isSome(host)) return yield* host.value.client.schedules
  const { withStore } = yield* offline
  const at = yield* now
  return yield* withStore(({ schedules }) =>
    Effect.map(schedules.list, (all) => all.map((found) => withNext(found, at)))
  )
})

const shown = ({ kind, name }: Pick<Schedule, "kind" | "name">): string => `${kind}/${name}`

/** The schedule that a command names. */
export const find = (named: string) =>
  Effect.flatMap(list, (all) => {
    const found = all.filter((schedule) => named === schedule.name || named === shown(schedule))
    const [first] = found
    if (first !== undefined && found.length === 1) return Effect.succeed(first)
    return new NoSuchSchedule({
      name: named,
      schedules: (first === undefined ? all : found).map(shown),
      isAmbiguous: first !== undefined
    })
  })

const done = { pause: "paused", unpause: "unpaused", remove: "removed" } as const

type Change = keyof typeof done

export const change = (what: Change, { kind, name }: Pick<Schedule, "kind" | "name">) =>
  Effect.gen(function* () {
    const host = yield* JobSource.host
    const by = sender()
    if (Option.isSome(host)) {
      const { pauseSchedule, removeSchedule, unpauseSchedule } = host.value.client
      const request = { pause: pauseSchedule, unpause: unpauseSchedule, remove: removeSchedule }[what]
      return yield* request(kind, name, { by })
    }
    const { logChange, withStore } = yield* offline
    const at = yield* now
    return yield* withStore(({ schedules }) =>
      Effect.zipLeft(schedules[what]({ kind, name, at, by }), logChange(`schedule "${name}" is ${done[what]}`))
    )
  })

/** Only a process that runs the schedule knows which job it starts. */
export const run = ({ kind, name }: Pick<Schedule, "kind" | "name">) =>
  Effect.gen(function* () {
    const host = yield* JobSource.host
    if (Option.isNone(host)) return yield* new DaemonNotRunning({ address: (yield* Home.Home).socket })
    return yield* host.value.client.runSchedule(kind, name, { by: sender() })
  })
