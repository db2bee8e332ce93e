/**
 * The time of the `Clock`, in whole milliseconds as they are recorded; a clock may stand between two.
 */
import { Clock, DateTime, Effect } from "effect"

export const now: Effect.Effect<DateTime.Utc> = Effect.map(Clock.currentTimeMillis, (millis) =>
  DateTime.unsafeMake(Math.floor(millis))
)
