import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { DateTime, Effect } from "effect"
import { check } from "../../../src/cli/doctor/schedules.js"
import { Schedule, ScheduleReset } from "../../../src/domain/Schedule.js"

const hour = 3_600_000
const at = (hours: number) => DateTime.unsafeMake(hours * hour)

const nightly = {
  kind: "reports",
  name: "nightly",
  cron: "0 3 * * *",
  timeZone: "UTC",
  missed: "once",
  overlap: "skip",
  since: at(0),
  skipped: 0,
  isLive: true
}

interface Found {
  readonly now: number
  readonly schedules?: ReadonlyArray<Schedule>
  /** In milliseconds; negative where it is behind. */
  readonly clockAhead?: number
}

/** What `doctor` says at an hour, of these schedules, in this order. */
const findings = ({ clockAhead = 0, now, schedules = [] }: Found) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    const found = yield* Effect.provideService(check, RunStore.RunStore, {
      ...store,
      now: Effect.succeed(at(now)),
      clockAhead: Effect.succeed(clockAhead),
      schedules: { ...store.schedules, list: Effect.succeed(schedules) }
    })
    return found.map(({ message }) => message)
  }).pipe(Effect.provide(RunStore.layerMemory))

describe("what charlotte doctor says about times", () => {
  it.effect.each([
    ["ahead of", 2 * hour, "the clock of this machine is 2h ahead of that of the database, by which jobs go"],
    ["behind", -90_000, "the clock of this machine is 1m 30s behind that of the database, by which jobs go"]
  ] as const)("names a clock that is %s that of the database", ([, clockAhead, message]) =>
    Effect.gen(function* () {
      expect(yield* findings({ now: 1, clockAhead })).toEqual([message])
    })
  )

  it.effect("leaves a difference of five seconds alone", () =>
    Effect.gen(function* () {
      expect(yield* findings({ now: 1, clockAhead: 5_000 })).toEqual([])
    })
  )

  it.effect("names a schedule that went back, until the time that a wrong clock had reached", () =>
    Effect.gen(function* () {
      const reset = new Schedule({
        ...nightly,
        lastTick: at(3),
        lastReset: new ScheduleReset({ at: at(3), from: at(51) })
      })
      const schedules = [reset]
      expect(yield* findings({ now: 4, schedules })).toEqual([
        "the schedule reports/nightly had ticks until 1970-01-03T03:00:00.000Z by a clock that was ahead, and went back"
      ])
      const later = [new Schedule({ ...reset, lastTick: at(51) })]
      expect(yield* findings({ now: 51, schedules: later })).toEqual([])
    })
  )

  it.effect("names a schedule whose tick is overdue by more than five minutes", () =>
    Effect.gen(function* () {
      const schedules = [new Schedule({ ...nightly, nextTick: at(3) })]
      expect(yield* findings({ now: 3 + 5 / 60, schedules })).toEqual([])
      expect(yield* findings({ now: 3 + 6 / 60, schedules })).toEqual([
        "a tick of the schedule reports/nightly is overdue: no process runs it"
      ])
    })
  )
})
