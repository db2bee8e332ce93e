/**
 * The time of the `Clock` in whole milliseconds, as records keep it; a clock may have fractions.
 */
import { Clock, DateTime, Effect } from "effect"

export const now: Effect.Effect<DateTime.Utc> = Effect.map(Clock.currentTimeMillis, (millis) =>
  DateTime.unsafeMake(Math.floor(millis))
)
