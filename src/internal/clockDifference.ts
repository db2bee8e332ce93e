/**
 * How far the clocks of two machines may be apart, and how that is said.
 */
import { Duration } from "effect"

/** A difference of more milliseconds is worth a word. */
export const notableDifference = 5_000

/** Such as `2h ahead of`, which the name of another clock follows. */
export const clockDifference = (millis: number): string => {
  const rounded = Duration.seconds(Math.round(Math.abs(millis) / 1_000))
  return `${Duration.format(rounded)} ${millis > 0 ? "ahead of" : "behind"}`
}
