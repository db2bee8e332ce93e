/** Limits to what a process may take, with a clock that can stand still. */
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, FiberId } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import * as processLimits from "../../src/process/processLimits.js"
import { Exited, type ProcessOutcome } from "../../src/process/ProcessOutcome.js"

/** What happens, by the number of the beat in which it does. */
interface Beat {
  /** How much longer it takes, in milliseconds. */
  readonly gap?: number
  readonly prints?: boolean
  readonly isStopped?: boolean
  /** What it has printed, or how it has ended, is known in the turn after it only. */
  readonly late?: "prints" | "ends"
}

/** The outcome, and the time in milliseconds at which it was known; limits of 80 and 16 s are counted in beats of 1 s. */
const watch = (limits: Parameters<typeof processLimits.within>[0], beats: (beat: number) => Beat) =>
  Effect.gen(function* () {
    let [now, beat, printed] = [0, 0, 0]
    const ended = Deferred.unsafeMake<ProcessOutcome>(FiberId.none)
    const clock = RealClock.of({
      now: Effect.sync(() => now),
      sleep: (millis) =>
        Effect.sync(() => {
          const { gap = 0, prints } = beats(++beat)
          now += millis + gap
          if (prints) printed++
        }).pipe(Effect.zipLeft(Effect.yieldNow())),
      turn: Effect.sync(() => {
        const { late } = beats(beat)
        if (late === "prints") printed++
        if (late === "ends") Deferred.unsafeDone(ended, Effect.succeed(Exited({ code: 0 })))
      }).pipe(Effect.zipLeft(Effect.yieldNow()))
    })
    const outcome = yield* processLimits
      .within(limits, {
        ended: Deferred.await(ended),
        printed: () => printed,
        isBehind: () => false,
        isStopped: () => beats(beat).isStopped === true
      })
      .pipe(Effect.provideService(RealClock, clock))
    return { outcome: outcome._tag, beats: beat, now }
  })

const hour = 3_600_000

describe("limits of a process", () => {
  it.effect("count an hour in which this process stood still as one beat, for silence and for the whole time", () =>
    Effect.gen(function* () {
      const gap = (beat: number) => (beat === 5 ? { gap: hour } : {})
      expect(yield* watch({ silence: "16 seconds" }, gap)).toEqual({
        outcome: "SilentTooLong",
        beats: 16,
        now: hour + 16_000
      })
      expect(yield* watch({ total: "80 seconds" }, gap)).toEqual({ outcome: "TimedOut", beats: 80, now: hour + 80_000 })
    })
  )

  it.effect("do not count time in which the process itself is stopped", () =>
    Effect.gen(function* () {
      const stopped = (beat: number) => ({ isStopped: beat > 10 && beat <= 1_010 })
      expect((yield* watch({ silence: "16 seconds", total: "80 seconds" }, stopped)).beats).toBe(1_016)
      expect((yield* watch({ total: "80 seconds" }, stopped)).beats).toBe(1_080)
    })
  )

  it.effect("begin silence again with every piece of output, and go on with the whole time", () =>
    Effect.gen(function* () {
      const limits = { silence: "16 seconds", total: "80 seconds" } as const
      const prints = (last: number) => (beat: number) => ({ prints: beat % 10 === 0 && beat <= last })
      expect(yield* watch(limits, prints(40))).toMatchObject({ outcome: "SilentTooLong", beats: 56 })
      expect(yield* watch(limits, prints(1_000))).toMatchObject({ outcome: "TimedOut", beats: 80 })
    })
  )

  it.effect("read what is waiting before they judge: output, and the end", () =>
    Effect.gen(function* () {
      const limits = { silence: "16 seconds" } as const
      const prints = (beat: number): Beat => (beat === 16 ? { gap: hour, late: "prints" } : {})
      expect((yield* watch(limits, prints)).beats).toBe(32)
      const ends = (beat: number): Beat => (beat === 16 ? { gap: hour, late: "ends" } : {})
      expect((yield* watch(limits, ends)).outcome).toBe("Exited")
      expect((yield* watch({ total: "16 seconds" }, ends)).outcome).toBe("Exited")
    })
  )

  it.effect("hold to the millisecond, also where they are shorter than a beat", () =>
    Effect.gen(function* () {
      expect(yield* watch({ total: "50 millis" }, () => ({}))).toMatchObject({ outcome: "TimedOut", now: 50 })
      expect(yield* watch({ total: 0 }, () => ({}))).toMatchObject({ outcome: "TimedOut", now: 1 })
    })
  )
})
