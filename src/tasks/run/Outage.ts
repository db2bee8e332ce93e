/**
 * How long to retry an agent whose service is unreachable or overloaded before that counts as a failed attempt.
 */
import { DateTime, Duration, Effect, Option } from "effect"

/** How long all retries of an outage may take. */
const longest = Duration.minutes(30)

const [initialPause, longestPause] = [Duration.seconds(5), Duration.minutes(5)]

export interface Outage {
  /** The pause before the next retry, or none to stop retrying. A turn that reached the service ends the outage. */
  readonly pause: (isUnreachable: boolean) => Effect.Effect<Option.Option<Duration.Duration>>
}

export const make = (): Outage => {
  let began: DateTime.Utc | undefined
  let tries = 0
  const end = () => {
    began = undefined
    tries = 0
    return Option.none()
  }
  return {
    pause: (isUnreachable) =>
      Effect.map(DateTime.now, (at) => {
        if (!isUnreachable) return end()
        began ??= at
        const pause = Duration.min(Duration.times(initialPause, 2 ** tries), longestPause)
        tries += 1
        const after = DateTime.addDuration(at, pause)
        return DateTime.greaterThan(after, DateTime.addDuration(began, longest)) ? end() : Option.some(pause)
      })
  }
}
