/**
 * Does it without rest, for so long that V8 has made what it wants to make of the code: before that, its compiler takes the
 * processor from whoever waits for a commit, for some 4 ms, in one of a hundred.
 */
import { Effect } from "effect"
import { number } from "../harness/Subject.js"

export const warmUp = <E>(one: Effect.Effect<unknown, E>): Effect.Effect<unknown, E> =>
  Effect.suspend(() => {
    const until = performance.now() + number("warmUp")
    return Effect.repeat(one, { while: () => performance.now() < until })
  })
