import { Duration } from "effect"

/** A duration as a database keeps it: whole milliseconds, and the longest such time for an infinite one. */
export const wholeMillis = (duration: Duration.Duration): number =>
  Math.min(Math.round(Duration.toMillis(duration)), Number.MAX_SAFE_INTEGER)
