/**
 * New job ids: ULIDs, each greater than the one before.
 */
import { Effect, Option, Random, Utils } from "effect"
import { decodeTime, monotonicFactory, TIME_MAX } from "ulid"
import { JobId } from "../../domain/JobId.js"

/** Makes the id of a job that is submitted at that time, in milliseconds. */
export type JobIdGenerator = (millis: number) => JobId

/** Seeds a generator from `Random`, since the factory draws its numbers outside any fiber. */
export const make: Effect.Effect<JobIdGenerator> = Effect.map(
  Effect.all([Random.nextInt, Random.nextInt, Random.nextInt, Random.nextInt]),
  ([a, b, c, d]) => {
    const random = new Utils.PCGRandom(a, b, c, d)
    const next = monotonicFactory(() => random.number())
    // A time of 0, where TestClock begins, would make the factory read the real clock.
    return (millis) => JobId.make(next(Math.max(millis, 1)))
  }
)

/** A generator of ids that are greater than `id`, which may have been made elsewhere, or by a wrong clock. */
export const above =
  (next: JobIdGenerator, id: JobId): JobIdGenerator =>
  (millis) =>
    next(Math.max(millis, Math.min(decodeTime(id) + 1, TIME_MAX)))

/** A generator of ids that are greater than the id of the newest run, if any. */
export const aboveLatest = (next: JobIdGenerator, latest: Option.Option<JobId>): JobIdGenerator =>
  Option.match(latest, { onNone: () => next, onSome: (id) => above(next, id) })
