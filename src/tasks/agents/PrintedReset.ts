/**
 * Reads when a limit resets from the sentence that an agent prints, such as `resets Apr 23 at 4pm (America/Recife)`, `try again
 * at 11:32 PM`, `resets Mon 12:00am` or `resets in 2h 4m`.
 */
import { Array, DateTime, Duration, Option } from "effect"

export interface Here {
  readonly now: DateTime.Utc
  /** The zone of times that name none. */
  readonly zone: DateTime.TimeZone
}

/** Times are printed to the minute, and waits without seconds are rounded down to it. */
const rounding = Duration.minutes(1)

/** A time that passed so recently is the reset itself, not the same time of the next day. */
const recent = Duration.minutes(15)

export const read = (text: string, here: Here): Option.Option<DateTime.Utc> => {
  // Clients wrap their lines.
  const line = text.replace(/\s+/g, " ")
  const time = Option.firstSomeOf([times, days, timesBefore].map((pattern) => timeIn(pattern.exec(line)?.groups, here)))
  return Option.orElse(wait(line, here), () => Option.map(time, DateTime.addDuration(rounding)))
}

/** Reads a text that is nothing but a time, a wait, or seconds since 1970. */
export const readAlone = (text: string, here: Here): Option.Option<DateTime.Utc> =>
  /^\d{9,11}$/.test(text)
    ? Option.map(DateTime.make(Number(text) * 1_000), DateTime.toUtc)
    : Option.orElse(read(`resets in ${text}`, here), () => read(`resets ${text}`, here))

const unit = String.raw`\d+(?:\.\d+)? ?(?:milliseconds?|ms|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)(?![a-z])`
const waits = new RegExp(
  String.raw`\b(?:resets?|available|retry|try again) (?:in|after) (${unit}(?:,? ?(?:and )?${unit})*)`,
  "i"
)

const wait = (text: string, { now }: Here): Option.Option<DateTime.Utc> =>
  Option.map(Option.fromNullable(waits.exec(text)?.[1]), (text) => {
    const parts = [...text.matchAll(/([\d.]+) ?(milli|ms(?![a-z])|[dhms])/gi)].map(([, count, name = ""]) => {
      const unit = name.toLowerCase().replace("milli", "ms")
      return { unit, length: Duration.times(lengthOf(unit), Number(count)) }
    })
    const isExact = parts.some(({ unit }) => unit.endsWith("s"))
    return parts.reduce(
      (at, { length }) => DateTime.addDuration(at, length),
      isExact ? now : DateTime.addDuration(now, rounding)
    )
  })

const lengthOf = (unit: string): Duration.Duration => {
  switch (unit) {
    case "d":
      return Duration.days(1)
    case "h":
      return Duration.hours(1)
    case "m":
      return Duration.minutes(1)
    case "s":
      return Duration.seconds(1)
    default:
      return Duration.millis(1)
  }
}

const isoDate = String.raw`(?<isoYear>\d{4})-(?<isoMonth>\d{2})-(?<isoDay>\d{2})`
const namedDate = String.raw`(?<month>[a-z]{3})[a-z]*\.? (?<day>\d{1,2})(?:st|nd|rd|th)?(?:,? (?<year>\d{4}))?`
const nearDate = String.raw`(?:(?<weekday>sun|mon|tue|wed|thu|fri|sat)(?:[a-z]*day|s|r|rs)?|(?<relative>today|tomorrow))\b`
const date = String.raw`(?:${isoDate}|${nearDate}|${namedDate})`
const clockTime = String.raw`(?<hour>\d{1,2})(?:(?<mark>:| ?h(?![a-z]) ?)(?<minute>\d{2})?(?::\d{2}(?:\.\d+)?)?)?(?:\s?(?<half>[ap])\.?m\b\.?)?`
const zoneName = String.raw`(?:(?<utc>Z)\b| (?:\((?<zone>[^)]{1,64})\)|(?<bare>[a-z]{2,5}(?:[+-][\d:]{1,5})?)(?![\w/])))?`
const verb = String.raw`(?<!\p{L})(?:resets?|try again|regain access|renews?|available(?: again)?|réinitialis\p{L}*|réessayez)(?: (?:at|on|after|à|le))?`
const times = new RegExp(String.raw`${verb} (?:${date}(?:T|,? (?:at |à )?))?${clockTime}${zoneName}`, "iu")
/** A day without a time begins at midnight. */
const days = new RegExp(String.raw`${verb} ${date}(?!,? ?(?:at |à )?\d)${zoneName}`, "iu")
/** In Japanese, the time comes first. */
const timesBefore =
  /(?<half>午前|午後)?(?<hour>\d{1,2})(?<mark>:|時)(?<minute>\d{2})?分?[^。\d]{0,12}(?:リセット|再開)/u

const timeIn = (read: Groups | undefined, { now, zone: own }: Here): Option.Option<DateTime.Utc> =>
  Option.gen(function* () {
    if (read === undefined) return yield* Option.none()
    const clock = yield* clockOf(read)
    // A word in capitals is a zone; any other belongs to the sentence.
    const bare = read["bare"] === read["bare"]?.toUpperCase() ? read["bare"] : undefined
    const name = read["utc"] === undefined ? (read["zone"] ?? bare) : "UTC"
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
const clockOf = ({ half, hour, mark = ":", minute }: Groups) => {
  if (hour === undefined) return Option.some({ hours: 0, minutes: 0 })
  const [hours, minutes] = [Number(hour), Number(minute ?? 0)]
  const isValid = half === undefined ? (minute !== undefined || mark !== ":") && hours < 24 : hours >= 1 && hours <= 12
  if (!isValid || minutes > 59) return Option.none()
  if (half === undefined) return Option.some({ hours, minutes })
  return Option.some({ hours: (hours % 12) + (/^(p|午後)/i.test(half) ? 12 : 0), minutes })
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

const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

type Day = Pick<DateTime.DateTime.PartsWithWeekday, "year" | "month" | "day">

/** The days that a text without a date can mean, counted from today. */
const daysFrom = (
  { relative, weekday }: Groups,
  { weekDay }: DateTime.DateTime.PartsWithWeekday
): ReadonlyArray<number> => {
  if (relative !== undefined) return [relative.toLowerCase() === "today" ? 0 : 1]
  if (weekday === undefined) return [-1, 0, 1]
  const ahead = (weekdays.indexOf(weekday.toLowerCase()) - weekDay + 7) % 7
  return [ahead, ahead + 7]
}

/** The dates that a text can mean, in order, each as its midnight in UTC. */
const datesOf = (read: Groups, today: DateTime.DateTime.PartsWithWeekday): ReadonlyArray<DateTime.Utc> => {
  if (read["isoYear"] !== undefined)
    return dateOf({ year: read["isoYear"], month: Number(read["isoMonth"]), day: read["isoDay"] })
  if (read["month"] === undefined)
    return dateOf(today).flatMap((date) => daysFrom(read, today).map((days) => DateTime.add(date, { days })))
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
