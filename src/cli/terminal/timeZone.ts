/**
 * The time zone in which times are read and shown: the local one, unless a test sets another.
 */
import { DateTime, Effect, Option } from "effect"

export const timeZone: Effect.Effect<DateTime.TimeZone> = Effect.map(
  Effect.serviceOption(DateTime.CurrentTimeZone),
  Option.getOrElse(DateTime.zoneMakeLocal)
)
