/**
 * A clock that has jumped ahead, in this process or since the newest run was started, may be wrong, and what is too old by it may be new. It
 * is believed once it has stood for an hour.
 */
import { Clock, DateTime, Duration, Effect, Option } from "effect"
import { decodeTime } from "ulid"
import type { JobId } from "../../domain/JobId.js"

/** How far it jumps at least, and how long it has to stand, in milliseconds. */
const stands = Duration.toMillis("1 hour")

/** The time that passes whatever is done to the clock, in milliseconds. */
const passing = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos / 1_000_000n))

/** Given a clock and the newest run, returns an effect that returns until when the clock is not believed, by that clock. */
export const make = (
  clock: Effect.Effect<DateTime.Utc>,
  newest: Option.Option<JobId>
): Effect.Effect<Effect.Effect<Option.Option<DateTime.Utc>>> =>
  Effect.map(Effect.all([passing, clock]), ([began, { epochMillis }]) => {
    let seen = { passed: began, now: Option.match(newest, { onNone: () => epochMillis, onSome: decodeTime }) }
    let isFirst = true
    let jumped = Option.none<number>()

    return Effect.gen(function* () {
      const [passed, { epochMillis: now }] = yield* Effect.all([passing, clock])
      const ahead = now - seen.now - (passed - seen.passed)
      seen = { passed, now }
      if (ahead > stands) {
        jumped = Option.some(passed)
        const by = Duration.format(Duration.minutes(Math.round(ahead / 60_000)))
        yield* isFirst
          ? Effect.logInfo(`the newest job is ${by} old: nothing is pruned within the hour, in case the clock is wrong`)
          : Effect.logWarning(`the clock has jumped ahead by ${by}: nothing is pruned until it has stood for an hour`)
      }
      isFirst = false
      const left = Option.filter(
        Option.map(jumped, (at) => at + stands - passed),
        (millis) => millis > 0
      )
      return Option.map(left, (millis) => DateTime.unsafeMake(Math.ceil(now + millis)))
    })
  })
