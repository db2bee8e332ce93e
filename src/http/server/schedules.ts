/**
 * What the server does with schedules.
 */
import { Effect, Option } from "effect"
import { ScheduleNotFound, ScheduleNotLive } from "../../domain/errors.js"
import { withNext } from "../../domain/Schedule.js"
import { logChange } from "../../domain/Sender.js"
import type { Reads } from "../../store/Runs.js"
import { Submitted } from "../contract/Job.js"

interface Request {
  readonly path: { readonly kind: string; readonly name: string }
  readonly urlParams: { readonly by?: string | undefined }
}

export const make = ({ now, schedules }: Pick<Reads, "now" | "schedules">) => {
  const list = Effect.flatMap(now, (at) =>
    Effect.map(schedules.list, (all) => all.map((schedule) => withNext(schedule, at)))
  )
  return {
    list,
    run: ({ path, urlParams: { by } }: Request) =>
      Effect.gen(function* () {
        const start = yield* schedules.served(path)
        if (Option.isSome(start)) return new Submitted({ id: yield* start.value(by) }, { disableValidation: true })
        const { kind, name: schedule } = path
        const isKnown = (yield* schedules.list).some((found) => found.kind === kind && found.name === schedule)
        return yield* isKnown ? new ScheduleNotLive({ kind, schedule }) : new ScheduleNotFound({ kind, schedule })
      }),
    pause: ({ path, urlParams: { by } }: Request) =>
      Effect.flatMap(now, (at) =>
        Effect.zipLeft(schedules.pause({ ...path, at, by }), logChange(`schedule "${path.name}" is paused`, by))
      ),
    unpause: ({ path, urlParams: { by } }: Request) =>
      Effect.flatMap(now, (at) =>
        Effect.zipLeft(schedules.unpause({ ...path, at }), logChange(`schedule "${path.name}" is unpaused`, by))
      ),
    remove: ({ path, urlParams: { by } }: Request) =>
      Effect.zipLeft(schedules.remove(path), logChange(`schedule "${path.name}" is removed`, by))
  }
}
