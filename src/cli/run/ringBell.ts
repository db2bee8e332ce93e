/**
 * Rings the bell of the terminal at the end of what took over a minute: by then, its user may look elsewhere.
 */
import { Clock, Duration, Effect, Exit } from "effect"
import { Output } from "../terminal/Output.js"

const longest = Duration.toMillis("1 minute")

/** Not if the user has interrupted it, nor into a pipe. */
export const ringBell = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Output> =>
  Effect.gen(function* () {
    const { isTerminal, write } = yield* Output
    const begun = yield* Clock.currentTimeMillis
    return yield* Effect.onExit(effect, (exit) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        isTerminal && !Exit.isInterrupted(exit) && now - begun > longest ? Effect.ignore(write("\x07")) : Effect.void
      )
    )
  })
