import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { MachineTime, RealClock } from "../../../src/internal/RealClock.js"
import * as DatabaseClock from "../../../src/store/postgres/DatabaseClock.js"
import { clockOf } from "../../support/clockOf.js"

const hour = 3_600_000

/** A machine and a server, each with a clock of its own; time passes on both. */
const opened = (machineAt: number, serverAt: number) =>
  Effect.gen(function* () {
    const times = { machine: machineAt, server: serverAt, running: 0 }
    const real = yield* RealClock
    const machine = clockOf(
      () => times.machine,
      () => Effect.never
    )
    const on = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      effect.pipe(
        Effect.withClock(machine),
        Effect.provideService(MachineTime, machine.currentTimeMillis),
        Effect.provideService(RealClock, { ...real, now: Effect.sync(() => times.running), sleep: () => Effect.never })
      )
    const { clockAhead: ahead, now } = yield* on(
      DatabaseClock.make(Effect.sync(() => DateTime.unsafeMake(times.server)))
    )
    return {
      ahead,
      now: Effect.map(on(now), ({ epochMillis }) => epochMillis),
      set: (machine: number) => void (times.machine = machine),
      pass: (millis: number) => {
        times.machine += millis
        times.server += millis
        times.running += millis
      },
      server: () => times.server
    }
  })

describe("the clock of a PostgreSQL server", () => {
  it.scoped.each([
    ["ahead", 2 * hour],
    ["behind", -2 * hour]
  ] as const)("is followed by a machine whose clock is two hours %s", ([, difference]) =>
    Effect.gen(function* () {
      const clock = yield* opened(10 * hour + difference, 10 * hour)
      expect(yield* clock.now).toBe(10 * hour)
      clock.pass(5_000)
      expect(yield* clock.now).toBe(clock.server())
      expect(yield* clock.ahead).toBe(difference)
    })
  )

  it.scoped("is followed by a machine whose clock is set meanwhile, before the server is asked again", () =>
    Effect.gen(function* () {
      const clock = yield* opened(10 * hour, 10 * hour)
      clock.set(50 * hour)
      // The time since the boot of the machine is real here, and runs on by less than this.
      expect(Math.abs((yield* clock.now) - clock.server())).toBeLessThan(1_000)
      clock.set(1 * hour)
      expect(Math.abs((yield* clock.now) - clock.server())).toBeLessThan(1_000)
    })
  )

  it.scoped("is left alone where the clocks differ by a second or less", () =>
    Effect.gen(function* () {
      const clock = yield* opened(10 * hour + 1_000, 10 * hour)
      expect(yield* clock.now).toBe(10 * hour + 1_000)
      expect(yield* clock.ahead).toBe(0)
    })
  )
})
