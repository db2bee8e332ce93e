/**
 * `charlotte schedules list`: a table, and the ticks that were skipped last.
 */
import { DateTime, Effect, Schema } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { Schedule } from "../../domain/Schedule.js"
import { columns, writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as Table from "../terminal/Table.js"
import * as Schedules from "./Schedules.js"

const encode = Schema.encodeSync(Schema.Array(Schedule))

export const listSchedules = ({ json }: { readonly json: boolean }) =>
  Effect.gen(function* () {
    const all = yield* Schedules.list
    if (json) return yield* writeJson(encode(all))
    if (all.length === 0) return yield* writeLines([[StyledLine.raw("no schedules")]])
    yield* writeLines([...table(all, yield* columns), ...all.flatMap(skipped), ...all.flatMap(reset)])
  }).pipe(Effect.provide(Home.layerUntouched))

const minute = (at: DateTime.Utc): string => DateTime.formatIso(at).slice(0, 16).replace("T", " ")

/** In the time zone of the schedule, where its expression is read. */
const inZone = (at: DateTime.Utc, { timeZone }: Schedule): string => {
  const zoned = DateTime.setZoneNamed(at, timeZone)
  return zoned._tag === "Some"
    ? DateTime.formatIsoZoned(zoned.value).slice(0, 16).replace("T", " ")
    : `${minute(at)} UTC`
}

const next = (schedule: Schedule): StyledLine.Piece => {
  if (schedule.pausedAt !== undefined) return StyledLine.raw("paused", "warn")
  if (schedule.nextTick === undefined) return StyledLine.raw("never", "bad")
  const text = inZone(schedule.nextTick, schedule)
  return schedule.isLive ? StyledLine.raw(text) : StyledLine.raw(`${text}, no process`, "warn")
}

const table = (all: ReadonlyArray<Schedule>, room: number): ReadonlyArray<StyledLine.Line> => [
  ...Table.render(
    [
      { title: "KIND", cells: all.map(({ kind }) => StyledLine.piece(kind)) },
      { title: "NAME", cells: all.map(({ name }) => StyledLine.piece(name, "strong")) },
      {
        title: "CRON",
        least: 8,
        rank: 1,
        cells: all.map(({ cron, timeZone }) => StyledLine.piece(`${cron} ${timeZone}`))
      },
      { title: "NEXT", cells: all.map(next) },
      {
        title: "LAST JOB",
        rank: 2,
        cells: all.map(({ lastRun = "-" }) => StyledLine.piece(lastRun))
      },
      {
        title: "SKIPPED",
        align: "right",
        cells: all.map(({ skipped }) => StyledLine.raw(String(skipped), skipped === 0 ? "plain" : "warn"))
      }
    ],
    room
  )
]

const skipped = ({ lastSkipped, name }: Schedule): ReadonlyArray<StyledLine.Line> =>
  lastSkipped === undefined
    ? []
    : [
        [
          StyledLine.raw("skipped ", "warn"),
          StyledLine.piece(`${name} at ${minute(lastSkipped.tick)} UTC: ${lastSkipped.reason}`)
        ]
      ]

const reset = ({ lastReset, name }: Schedule): ReadonlyArray<StyledLine.Line> =>
  lastReset === undefined
    ? []
    : [
        [
          StyledLine.raw("went back ", "warn"),
          StyledLine.piece(
            `${name} at ${minute(lastReset.at)} UTC, from ${minute(lastReset.from)} UTC: the clock was ahead`
          )
        ]
      ]
