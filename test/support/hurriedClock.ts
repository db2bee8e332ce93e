import { Effect, Layer } from "effect"
import { WallClock } from "../../src/store/WallClock.js"

const turn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** A real time that does not keep anybody waiting: who sleeps gets one turn of the event loop, and the time has passed. */
export const layer = Layer.sync(WallClock, () => {
  let now = 0
  return {
    now: Effect.sync(() => now),
    sleep: (millis) =>
      Effect.map(turn, () => {
        now += millis
      }),
    turn
  }
})
