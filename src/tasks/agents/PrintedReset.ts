/**
 * Reads when a limit resets from the sentence that an agent prints, such as `resets Apr 23 at 4pm (America/Recife)`, `try again
 * at 11:32 PM` or `resets in 2h 4m`.
 */
import { Array, DateTime, Duration, Option } from "effect"

export interface Here {
  readonly now: DateTime.Utc
  /** The zone of times that name none. */
  readonly zone: DateTime.TimeZone
}

/** Times are printed to the minute, and waits are rounded down to it. */
const rounding = Duration.minutes(1)

/** A time that passed so recently is the reset itself, not the same time of the next day. */
const recent = Duration.minutes(15)

export const read = (text: string, here: Here): Option.Option<DateTime.Utc> =>
  Option.map(
    Option.orElse(wait(text, here), () => time(text, here)),
    DateTime.addDuration(rounding)
  )

const unit = String.raw`\d+ ?(?:days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)\b`
const waits = new RegExp(String.raw`\b(?:resets?|try again) in (${unit}(?:,? (?:and )?${unit})*)`, "i")

const wait = (text: string, { now }: Here): Option.Option<DateTime.Utc> =>
  Option.map(Option.fromNullable(waits.exec(text)?.[1]), (parts) =>
    [...parts.matchAll(/(\d+) ?([dhms])/gi)].reduce(
      (at, [, count, unit]) => DateTime.addDuration(at, Duration.times(lengthOf(unit), Number(count))),
      now
    )
  )

const lengthOf = (unit = ""): Duration.Duration => {
  switch (unit.toLowerCase()) {
    case "d":
      return Duration.days(1)
    case "h":
      return Duration.hours(1)
    case "m":
      return Duration.minutes(1)
    default:
      return Duration.seconds(1)
  }
}

const isoDate = String.raw`(?<isoYear>\d{4})-(?<isoMonth>\d{2})-(?<isoDay>\d{2})`
const namedDate = String.raw`(?<month>[a-z]{3})[a-z]*\.? (?<day>\d{1,2})(?:st|nd|rd|th)?(?:,? (?<year>\d{4}))?`
const clockTime = String.raw`(?<hour>\d{1,2})(?::(?<minute>\d{2}))?(?:\s?(?<half>[ap])\.?m\b\.?)?`
const zoneName = String.raw`(?: (?:\((?<zone>[^)]{1,64})\)|(?<bare>[a-z]{2,5}(?:[+-][\d:]{1,5})?)(?![\w/])))?`
const times = new RegExp(
  String.raw`\b(?:resets?|try again|regain access)(?: (?:at|on))? (?:(?:${isoDate}|${namedDate})(?:,| at|, at)? )?${clockTime}${zoneName}`,
  "i"
)

const time = (text: string, { now, zone: own }: Here): Option.Option<DateTime.Utc> =>
  Option.gen(function* () {
    const read = yield* Option.fromNullable(times.exec(text)?.groups)
    const clock = yield* clockOf(read)
    // A word in capitals is a zone; any other belongs to the sentence.
    const name = read["zone"] ?? (read["bare"] === read["bare"]?.toUpperCase() ? read["bare"] : undefined)
    const zone = name === undefined ? own : yield* zoneOf(name)
    // A time that is repeated when summer time ends is the earlier of the two, unless that has passed.
    const instants = datesOf(read, DateTime.toParts(DateTime.setZone(now, zone))).flatMap((date) =>
      (["compatible", "later"] as const).flatMap((disambiguation) =>
        Option.toArray(
          DateTime.makeZoned(DateTime.add(date, clock), { timeZone: zone, adjustForTimeZone: true, disambiguation })
        )
      )
    )
    const next = yield* Array.findFirst(instants, DateTime.greaterThanOrEqualTo(DateTime.subtractDuration(now, recent)))
    return yield* Option.liftPredicate(DateTime.toUtc(next), DateTime.greaterThan(now))
  })

type Groups = { readonly [name: string]: string | undefined }

/** 12am is midnight, and 12pm is noon. */
const clockOf = ({ half, hour = "", minute }: Groups) => {
  const [hours, minutes] = [Number(hour), Number(minute ?? 0)]
  const isValid = half === undefined ? minute !== undefined && hours < 24 : hours >= 1 && hours <= 12
  if (!isValid || minutes > 59) return Option.none()
  if (half === undefined) return Option.some({ hours, minutes })
  return Option.some({ hours: (hours % 12) + (half.toLowerCase() === "p" ? 12 : 0), minutes })
}

const zoneOf = (name: string): Option.Option<DateTime.TimeZone> => {
  const [isOffset, sign, hours = "0", minutes = "0"] =
    /^(?:UTC|GMT)(?:([+-])(\d{1,2})(?::?(\d{2}))?)?$/i.exec(name) ?? []
  // Abbreviations such as IST name several zones.
  if (isOffset === undefined) return name.includes("/") ? DateTime.zoneMakeNamed(name) : Option.none()
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000
  return offset > 14 * 3_600_000 ? Option.none() : Option.some(DateTime.zoneMakeOffset(sign === "-" ? -offset : offset))
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

type Day = Pick<DateTime.DateTime.PartsWithWeekday, "year" | "month" | "day">

/** The dates that a text can mean, in order, each as its midnight in UTC. */
const datesOf = (read: Groups, today: Day): ReadonlyArray<DateTime.Utc> => {
  if (read["isoYear"] !== undefined)
    return dateOf({ year: read["isoYear"], month: Number(read["isoMonth"]), day: read["isoDay"] })
  if (read["month"] === undefined)
    return dateOf(today).flatMap((date) => [-1, 0, 1].map((days) => DateTime.add(date, { days })))
  const month = months.indexOf(read["month"].toLowerCase()) + 1
  const years = read["year"] === undefined ? [today.year, today.year + 1] : [read["year"]]
  return years.flatMap((year) => dateOf({ year, month, day: read["day"] }))
}

/** Empty for a date that does not exist, such as 29 February of most years. */
const dateOf = (date: { readonly [part in keyof Day]: number | string | undefined }): ReadonlyArray<DateTime.Utc> => {
  const [year, month, day] = [Number(date.year), Number(date.month), Number(date.day)]
  return Option.toArray(
    Option.filter(DateTime.make({ year, month, day }), (made) => {
      const parts = DateTime.toPartsUtc(made)
      return parts.month === month && parts.day === day
    })
  )
}
