/**
 * Repeats an effect without rest, so that V8 has optimised the code: until then, its compiler delays one commit in a hundred by
 * some 4 ms.
 */
import { Effect } from "effect"
import { number } from "../harness/Subject.js"

export const warmUp = <E>(one: Effect.Effect<unknown, E>): Effect.Effect<unknown, E> =>
  Effect.suspend(() => {
    const until = performance.now() + number("warmUp")
    return Effect.repeat(one, { while: () => performance.now() < until })
  })
