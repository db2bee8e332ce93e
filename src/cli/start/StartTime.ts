/**
 * The time of `--at`: a time of day, or a date and a time, in the local time zone unless it names an offset.
 */
import { DateTime, Effect, Either, Option } from "effect"
import { timeZone } from "../terminal/timeZone.js"

export type StartTime =
  | { readonly _tag: "TimeOfDay"; readonly hours: number; readonly minutes: number }
  /** The local time in the time zone. */
  | { readonly _tag: "Local"; readonly clock: DateTime.Utc }
  | { readonly _tag: "Instant"; readonly at: DateTime.Utc }

const expected = "a time such as 22:00, 2026-01-31T08:00 or 2026-01-31T08:00:00Z"

const timeOfDay = /^([01]?\d|2[0-3]):([0-5]\d)$/
const dateAndTime = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?$/

export const parse = (text: string): Either.Either<StartTime, string> => {
  const [, hours, minutes] = timeOfDay.exec(text) ?? []
  if (hours !== undefined) return Either.right({ _tag: "TimeOfDay", hours: Number(hours), minutes: Number(minutes) })
  const [, date = "", time = "", offset] = dateAndTime.exec(text) ?? []
  const clock = DateTime.make(`${date}T${time}Z`)
  // `Date` reads 2026-02-30 as the second of March.
  if (Option.isNone(clock) || !DateTime.formatIso(clock.value).startsWith(date)) return Either.left(expected)
  if (offset === undefined) return Either.right({ _tag: "Local", clock: DateTime.toUtc(clock.value) })
  return Option.match(DateTime.make(`${date}T${time}${offset}`), {
    onNone: () => Either.left(expected),
    onSome: (at) => Either.right({ _tag: "Instant", at: DateTime.toUtc(at) })
  })
}

/** The next such time of day, or that time, which may be in the past. */
export const resolve = (time: StartTime): Effect.Effect<DateTime.DateTime> =>
  Effect.gen(function* () {
    if (time._tag === "Instant") return time.at
    const zone = yield* timeZone
    if (time._tag === "Local") return DateTime.unsafeMakeZoned(time.clock, { timeZone: zone, adjustForTimeZone: true })
    const { hours, minutes } = time
    const now = DateTime.setZone(yield* DateTime.now, zone)
    const today = DateTime.setParts(now, { hours, minutes, seconds: 0, millis: 0 })
    return DateTime.greaterThan(today, now) ? today : DateTime.add(today, { days: 1 })
  })
