/**
 * The ticks of a cron expression in a time zone. Effect's `Cron` reads the expression, and steps through times of the day; which instant
 * such a time is, if any, is decided here:
 *
 * - A time that the beginning of summer time skips is the first instant after it, unless the hours have a `*` or a step.
 * - A time that its end repeats is the first of the two instants; if minutes or hours have a `*` or a step, both.
 */
import { Cron, DateTime, Either, Option } from "effect"

export interface CronTicks {
  /** The first tick after a time; none if there is no further one. */
  readonly next: (after: DateTime.Utc) => Option.Option<DateTime.Utc>
  /** The last tick after a time and not after another one. */
  readonly latest: (range: {
    readonly after: DateTime.Utc
    readonly until: DateTime.Utc
  }) => Option.Option<DateTime.Utc>
}

const minute = 60_000
const day = 24 * 60 * minute

const hasEvery = (field: string | undefined): boolean => field !== undefined && /[*/]/.test(field)

/** Why it has no ticks, or its ticks. */
export const parse = (cron: string, timeZone: string): Either.Either<CronTicks, string> =>
  Either.gen(function* () {
    // Times of the day are stepped through as if they were in UTC, where none is skipped or repeated.
    const rule = yield* Either.mapLeft(Cron.parse(cron, "UTC"), ({ message }) => message)
    const zone = yield* Either.fromOption(DateTime.zoneFromString(timeZone), () => `no time zone "${timeZone}"`)
    const [hours, minutes] = cron.trim().split(/\s+/).slice(0, -3).reverse()
    const ticks = make(rule, zone, { hours: hasEvery(hours), minutes: hasEvery(minutes) })
    // Which years have a tick does not depend on where the search begins: after 400 years the calendar repeats.
    return Option.isSome(ticks.next(DateTime.unsafeMake(0))) ? ticks : yield* Either.left("it has no tick")
  })

const make = (
  rule: Cron.Cron,
  timeZone: DateTime.TimeZone,
  every: { readonly hours: boolean; readonly minutes: boolean }
): CronTicks => {
  const offset = (instant: number) => DateTime.zonedOffset(DateTime.unsafeMakeZoned(instant, { timeZone }))

  /** A time without a change of the offset within two days of it: most ticks are near it, and then need no further look at the zone. */
  let steady = { at: Number.NaN, offset: 0 }
  /** The offsets a day before and a day after a time. */
  const offsetsAround = (time: number): readonly [before: number, after: number] => {
    if (Math.abs(time - steady.at) <= day) return [steady.offset, steady.offset]
    const before = offset(time - 2 * day)
    if (before !== offset(time + 2 * day)) return [offset(time - day), offset(time + day)]
    steady = { at: time, offset: before }
    return [before, before]
  }

  /** The next time of the day that the rule has, as if it were in UTC; `Cron` throws if it finds none. */
  const nextTime = Option.liftThrowable((time: number) => Cron.next(rule, time).getTime())

  /** The first instant with another offset. */
  const changeBetween = (before: number, after: number) => {
    const first = offset(before)
    let [from, to] = [before, after]
    while (to - from > 1) {
      const middle = Math.floor((from + to) / 2)
      if (offset(middle) === first) from = middle
      else to = middle
    }
    return to
  }

  /** The instants of a time of the day, in order. */
  const instants = (time: number): ReadonlyArray<number> => {
    const [before, after] = offsetsAround(time)
    if (before === after) return [time - before]
    const found = [before, after].map((offset) => time - offset).filter((instant) => offset(instant) === time - instant)
    if (found.length === 0) return every.hours ? [] : [changeBetween(time - day, time + day)]
    return every.hours || every.minutes ? found : found.slice(0, 1)
  }

  const next = (after: number): Option.Option<number> => {
    /** How far clocks are set back around this time: earlier times of the day may still come again. */
    const [before, later] = offsetsAround(after)
    const back = Math.max(0, before - later)
    const current = before === later ? before : offset(after)
    let found = Option.none<number>()
    for (let time = nextTime(after + current - back); Option.isSome(time); time = nextTime(time.value)) {
      const [first, ...others] = instants(time.value)
      if (first === undefined) continue
      if (Option.exists(found, (earliest) => earliest <= first)) return found
      const tick = [first, ...others].find((instant) => instant > after)
      if (tick === undefined) continue
      if (!Option.exists(found, (earliest) => earliest <= tick)) found = Option.some(tick)
      if (tick === first) return found
    }
    return found
  }

  return {
    next: (after) => Option.map(next(DateTime.toEpochMillis(after)), DateTime.unsafeMake),
    latest: ({ after, until }) => {
      const [from, to] = [DateTime.toEpochMillis(after), DateTime.toEpochMillis(until)]
      const isIn = (tick: number) => tick <= to
      // There may be very many ticks: the search begins with the last minute, and doubles its range until it has one.
      for (let range = minute; ; range *= 2) {
        const start = Math.max(from, to - range)
        let latest = start
        for (let tick = next(start); Option.exists(tick, isIn); tick = next(latest)) latest = Option.getOrThrow(tick)
        if (latest > start) return Option.some(DateTime.unsafeMake(latest))
        if (start === from) return Option.none()
      }
    }
  }
}
