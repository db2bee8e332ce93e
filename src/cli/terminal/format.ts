/**
 * Numbers, durations and times for people, in a time zone.
 */
import { DateTime } from "effect"

export { age, clock, count, short, span } from "../../progress/format.js"

const iso = (at: DateTime.DateTime.Input, zone: DateTime.TimeZone): string =>
  DateTime.formatIsoZoned(DateTime.setZone(DateTime.unsafeMake(at), zone))

/** `14:03:59` */
export const timeOfDay = (at: DateTime.DateTime.Input, zone: DateTime.TimeZone): string => iso(at, zone).slice(11, 19)

/** `2026-01-31 14:03:59` */
export const dateTime = (at: DateTime.DateTime.Input, zone: DateTime.TimeZone): string =>
  iso(at, zone).slice(0, 19).replace("T", " ")

/** `2026-01-31` */
export const day = (at: DateTime.DateTime.Input, zone: DateTime.TimeZone): string => dateTime(at, zone).slice(0, 10)
