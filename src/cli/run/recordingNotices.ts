import { Effect, Option, Stream } from "effect"
import type { Health } from "../../manager/JobManager.js"
import { RealClock } from "../../internal/RealClock.js"
import * as text from "../terminal/text.js"

/** Polling interval, in milliseconds of real time. */
const interval = 1_000

const sentence = ({ unrecorded }: Health): Option.Option<string> =>
  Option.map(
    Option.fromNullable(unrecorded[0]),
    ({ error }) => `the job cannot be recorded, and waits until it can: ${text.clean(error.message)}`
  )

/** Reports when a job cannot be recorded, as on a full disk, and when it can again; its output pauses meanwhile. */
export const recordingNotices = (health: Effect.Effect<Health>): Stream.Stream<string> =>
  Stream.unwrap(
    Effect.map(RealClock, ({ sleep }) =>
      Stream.repeatEffect(Effect.zipRight(sleep(interval), Effect.map(health, sentence))).pipe(
        Stream.changesWith((before, now) => Option.isSome(before) === Option.isSome(now)),
        // Skips the initial healthy state.
        Stream.dropWhile(Option.isNone),
        Stream.map(Option.getOrElse(() => "the job is recorded again"))
      )
    )
  )
