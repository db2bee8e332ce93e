/** The grace period of a process tree, with a clock that can stand still. */
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import type { ProcessTree, ProcessSnapshot } from "../../src/process/ProcessTree.js"
import { terminate } from "../../src/process/terminate.js"

const hour = 3_600_000

const entry = {
  ...{ pid: 7, name: "sleep", parent: 1, group: 7, session: 7, startTime: 1 },
  ...{ isDead: false, isStopped: false, isRunning: false, isBare: false, isKernel: false }
}

/** When a process that ignores SIGTERM is killed, in a grace of 5 s with a gap in the nth sleep. */
const killedAt = (nth: number, gap: number) =>
  Effect.gen(function* () {
    let [now, sleeps, killed] = [0, 0, -1]
    const snapshot = (): ProcessSnapshot => ({
      found: killed === -1 ? [entry] : [],
      isComplete: true,
      isPopulated: false
    })
    const tree: ProcessTree = {
      scan: snapshot,
      sweep: (...signals) => {
        if (signals.includes("SIGKILL") && killed === -1) killed = now
        return snapshot()
      },
      killed: () => []
    }
    const clock = RealClock.of({
      now: Effect.sync(() => now),
      sleep: (millis) =>
        Effect.sync(() => {
          now += millis + (++sleeps === nth ? gap : 0)
        }),
      turn: Effect.void
    })
    yield* terminate(tree, { settle: Duration.zero, grace: Duration.seconds(5), isHurried: () => false }).pipe(
      Effect.provideService(RealClock, clock)
    )
    return killed
  })

describe("the grace period of a process that ignores SIGTERM", () => {
  it.effect("ends with SIGKILL", () => Effect.map(killedAt(0, 0), (at) => expect(at).toBe(5_000)))

  it.effect("continues after an hour in which this process was paused", () =>
    Effect.gen(function* () {
      expect(yield* killedAt(20, hour)).toBeGreaterThan(hour + 4_000)
    })
  )

  it.effect("is not longer because this process is slow", () =>
    Effect.map(killedAt(20, 400), (at) => expect(at).toBe(5_000))
  )
})
