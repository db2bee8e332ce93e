import { Effect, Layer } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"

interface Sleeper {
  readonly until: number
  readonly wake: () => void
}

/**
 * A real time that keeps nobody waiting: with every other turn of the event loop it leaps to the moment at which the next of those
 * who sleep wakes up.
 */
export const layer = Layer.sync(RealClock, () => {
  let now = 0
  let sleepers: ReadonlyArray<Sleeper> = []
  let leaping = false

  const leap = (): void => {
    leaping = false
    const [next, ...others] = [...sleepers].sort((a, b) => a.until - b.until)
    if (next === undefined) return
    sleepers = others
    now = Math.max(now, next.until)
    next.wake()
    prepare()
  }
  const prepare = (): void => {
    // Not at once: who waits for one turn comes first.
    if (!leaping && sleepers.length > 0) setImmediate(() => setImmediate(leap))
    leaping ||= sleepers.length > 0
  }

  return {
    now: Effect.sync(() => now),
    sleep: (millis) =>
      Effect.async<void>((resume) => {
        const sleeper = { until: now + millis, wake: () => resume(Effect.void) }
        sleepers = [...sleepers, sleeper]
        prepare()
        return Effect.sync(() => {
          sleepers = sleepers.filter((other) => other !== sleeper)
        })
      }),
    turn: Effect.async<void>((resume) => {
      setImmediate(() => resume(Effect.void))
    })
  }
})
