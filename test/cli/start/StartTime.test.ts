import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, Either, TestClock } from "effect"
import * as StartTime from "../../../src/cli/start/StartTime.js"

const noon = "2026-03-28T12:00:00Z"

/** As of noon (UTC) of the day before clocks change in Berlin. */
const resolved = (text: string, zone = "UTC") =>
  Effect.gen(function* () {
    yield* TestClock.setTime(Date.parse(noon))
    const time = Either.getOrThrowWith(StartTime.parse(text), (expected) => new Error(expected))
    return DateTime.formatIso(yield* StartTime.resolve(time))
  }).pipe(DateTime.withCurrentZoneNamed(zone), Effect.orDie)

describe("a start time", () => {
  it.effect("is an instant where it names an offset", () =>
    Effect.gen(function* () {
      expect(yield* resolved("2026-01-31T08:00:00Z", "Asia/Tokyo")).toBe("2026-01-31T08:00:00.000Z")
      expect(yield* resolved("2026-01-31T08:00:30.5+02:00")).toBe("2026-01-31T06:00:30.500Z")
    })
  )

  it.effect("is local without an offset", () =>
    Effect.gen(function* () {
      expect(yield* resolved("2026-07-31T08:00", "Europe/Berlin")).toBe("2026-07-31T06:00:00.000Z")
      expect(yield* resolved("2026-01-31 08:00:15", "Europe/Berlin")).toBe("2026-01-31T07:00:15.000Z")
    })
  )

  it.effect("is the next such time of day, today or tomorrow, also across a change of clocks", () =>
    Effect.gen(function* () {
      expect(yield* resolved("22:00")).toBe("2026-03-28T22:00:00.000Z")
      expect(yield* resolved("12:00")).toBe("2026-03-29T12:00:00.000Z")
      expect(yield* resolved("8:30", "Europe/Berlin")).toBe("2026-03-29T06:30:00.000Z")
      expect(yield* resolved("13:30", "Europe/Berlin")).toBe("2026-03-28T12:30:00.000Z")
    })
  )

  it("is nothing else", () => {
    for (const text of [
      "",
      "now",
      "25:00",
      "12:60",
      "-1:00",
      "tomorrow",
      "2026-01-31",
      "2026-02-30T08:00",
      "2026-13-01T08:00",
      "2026-01-31T24:30",
      "2026-01-31T08:00:00+25:61",
      "1e12",
      "Infinity"
    ]) {
      expect([text, StartTime.parse(text)]).toEqual([
        text,
        Either.left("a time such as 22:00, 2026-01-31T08:00 or 2026-01-31T08:00:00Z")
      ])
    }
  })
})
