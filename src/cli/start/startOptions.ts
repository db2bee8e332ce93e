/**
 * The options of a start, from the options of the command.
 */
import { type Duration, Effect, Option } from "effect"
import type { StartOptions } from "../../domain/StartOptions.js"
import { UsageError } from "../parser/UsageError.js"
import * as StartTime from "./StartTime.js"

export interface Given {
  readonly queue: boolean
  readonly priority: Option.Option<number>
  readonly at?: Option.Option<StartTime.StartTime>
  readonly delay: Option.Option<Duration.Duration>
  readonly key: Option.Option<string>
  readonly onKey: Option.Option<NonNullable<StartOptions["whenKeyTaken"]>>
  readonly idempotencyKey: Option.Option<string>
}

/** None for a plain start without any of these options. */
export const read = ({
  at = Option.none(),
  delay,
  idempotencyKey,
  key,
  onKey,
  priority,
  queue
}: Given): Effect.Effect<Option.Option<StartOptions>, UsageError> =>
  Effect.gen(function* () {
    if (Option.isSome(at) && Option.isSome(delay)) {
      return yield* new UsageError({
        problem: "--at cannot be combined with --delay",
        hint: "use one of them"
      })
    }
    if (Option.isSome(onKey) && Option.isNone(key)) {
      return yield* new UsageError({ problem: "--on-key needs a key", hint: "add --key KEY" })
    }
    const options: StartOptions = {
      ...(queue && { whenFull: "queue" }),
      ...(Option.isSome(priority) && { priority: priority.value }),
      ...(Option.isSome(at) && { startAt: yield* StartTime.resolve(at.value) }),
      ...(Option.isSome(delay) && { delay: delay.value }),
      ...(Option.isSome(key) && { key: key.value }),
      ...(Option.isSome(onKey) && { whenKeyTaken: onKey.value }),
      ...(Option.isSome(idempotencyKey) && { idempotencyKey: idempotencyKey.value })
    }
    return Object.keys(options).length === 0 ? Option.none() : Option.some(options)
  })
