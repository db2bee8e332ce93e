/** Resets that agents print for people. */
import { describe, expect, it } from "@effect/vitest"
import { DateTime, FastCheck as fc, Option } from "effect"
import * as PrintedReset from "../../../src/tasks/agents/PrintedReset.js"

/** What a text means at a time, in a zone that only texts without one use. */
const read = (text: string, now: string, own = "UTC") =>
  PrintedReset.read(text, { now: DateTime.unsafeMake(now), zone: DateTime.zoneUnsafeMakeNamed(own) }).pipe(
    Option.map((at) => DateTime.formatIso(at).replace(":00.000Z", "Z")),
    Option.getOrElse(() => "unknown")
  )

const noon = "2026-06-10T12:00:00Z"

const reads = (cases: ReadonlyArray<readonly [text: string, now: string, expected: string, zone?: string]>) => {
  for (const [text, now, expected, zone] of cases)
    expect([text, now, read(text, now, zone)]).toEqual([text, now, expected])
}

describe("PrintedReset.read", () => {
  it("reads each form that agents print, and adds a minute", () => {
    reads([
      ["You've hit your limit · resets 2pm (Asia/Shanghai)", "2026-06-10T02:00:00Z", "2026-06-10T06:01Z"],
      ["You've hit your limit · resets Apr 23 at 4pm (America/Recife)", "2026-04-20T00:00:00Z", "2026-04-23T19:01Z"],
      ["You've hit your limit · resets Jun 16, 11:30am (Asia/Calcutta)", noon, "2026-06-16T06:01Z"],
      ["You've hit your session limit · resets 9:10pm (UTC)", noon, "2026-06-10T21:11Z"],
      ["Claude usage limit reached. Your limit will reset at 1pm (Etc/GMT+5).", noon, "2026-06-10T18:01Z"],
      ["Weekly limit reached · resets 10am (Asia/Seoul) · /upgrade to Max", noon, "2026-06-11T01:01Z"],
      ["resets 5pm (UTC) /login to switch to an account", noon, "2026-06-10T17:01Z"],
      ["You've hit your usage limit. Upgrade to Pro or try again at 11:32 PM.", noon, "2026-06-10T23:33Z"],
      ["You've hit your usage limit. Try again at Dec 3rd, 2026 3:42 PM.", noon, "2026-12-03T15:43Z"],
      ["You will regain access on 2026-12-01 at 00:00 UTC.", noon, "2026-12-01T00:01Z"],
      ["resets 2pm (GMT-3)", noon, "2026-06-10T17:01Z"],
      ["resets 2pm GMT+5:30", noon, "2026-06-11T08:31Z"],
      ["resets 3pm (UTC+2)", noon, "2026-06-10T13:01Z"],
      ["resets in 2h 4m", noon, "2026-06-10T14:05Z"],
      ["Try again in 4 days 20 hours 9 minutes.", noon, "2026-06-15T08:10Z"],
      ["try again in 1 day, 3 hours and 1 minute", noon, "2026-06-11T15:02Z"],
      ["try again at 11:32\u202fPM.", noon, "2026-06-10T23:33Z"]
    ])
  })

  it("takes the agent's own zone where none is named", () => {
    reads([
      ["try again at 11:32 PM.", noon, "2026-06-10T15:33Z", "Asia/Shanghai"],
      ["Try again at Jun 12th, 2026 3:42 PM.", noon, "2026-06-12T19:43Z", "America/New_York"],
      ["resets 3pm to give others a turn", noon, "2026-06-10T22:01Z", "America/Los_Angeles"]
    ])
  })

  it("reads 12am as midnight, and 12pm as noon", () => {
    reads([
      ["resets 12am (UTC)", noon, "2026-06-11T00:01Z"],
      ["resets 12:30am (UTC)", noon, "2026-06-11T00:31Z"],
      ["resets 12pm (UTC)", "2026-06-10T08:00:00Z", "2026-06-10T12:01Z"],
      ["resets 12am (Asia/Tokyo)", noon, "2026-06-10T15:01Z"],
      ["try again at 12:16 PM.", "2026-06-10T08:00:00Z", "2026-06-10T12:17Z"]
    ])
  })

  it("without a date, takes the next such time, unless it passed at most 15 minutes ago", () => {
    reads([
      ["resets 2pm (UTC)", "2026-06-10T13:59:59Z", "2026-06-10T14:01Z"],
      ["resets 2pm (UTC)", "2026-06-10T14:00:00Z", "unknown"],
      ["resets 2pm (UTC)", "2026-06-10T14:15:00Z", "unknown"],
      ["resets 2pm (UTC)", "2026-06-10T14:15:01Z", "2026-06-11T14:01Z"],
      ["resets 11:55pm (UTC)", "2026-06-11T00:05:00Z", "unknown"],
      ["resets 12:05am (UTC)", "2026-06-10T23:55:00Z", "2026-06-11T00:06Z"]
    ])
  })

  it("reads the days of the week, today and tomorrow, and the midnight of a day without a time", () => {
    // 10 June 2026 is a Wednesday.
    reads([
      ["resets Mon 12:00am", noon, "2026-06-15T00:01Z"],
      ["resets Wed 3pm", noon, "2026-06-10T15:01Z"],
      ["resets Wednesday at 9am", noon, "2026-06-17T09:01Z"],
      ["resets on Thurs, 9:30 AM", noon, "2026-06-11T09:31Z"],
      ["resets Monday", noon, "2026-06-15T00:01Z"],
      ["resets Tue 9am (Asia/Tokyo)", noon, "2026-06-16T00:01Z"],
      ["resets tomorrow at 3pm", noon, "2026-06-11T15:01Z"],
      ["resets today at 3pm", noon, "2026-06-10T15:01Z"],
      ["try again tomorrow", noon, "2026-06-11T00:01Z"],
      ["Opus weekly limit reached ∙ resets Jun 24", noon, "2026-06-24T00:01Z"]
    ])
  })

  it("reads waits to the second, without a minute more", () => {
    reads([
      ["Please try again in 20s.", noon, "2026-06-10T12:00:20.000Z"],
      ["Please retry in 34.5s.", noon, "2026-06-10T12:00:34.500Z"],
      ["Please try again in 20ms.", noon, "2026-06-10T12:00:00.020Z"],
      ["Your quota will reset after 4h28m20s.", noon, "2026-06-10T16:28:20.000Z"],
      ["resets at 2026-06-10T14:30:00Z", noon, "2026-06-10T14:31Z"]
    ])
  })

  it("without a year, takes the next such date", () => {
    reads([
      ["resets Jan 1 at 12am (UTC)", "2026-12-31T23:00:00Z", "2027-01-01T00:01Z"],
      ["resets Jan 2, 9am (Pacific/Auckland)", "2026-12-31T10:59:00Z", "2027-01-01T20:01Z"],
      ["resets Dec 31 at 11pm (UTC)", "2026-12-31T12:00:00Z", "2026-12-31T23:01Z"],
      ["resets Dec 31 at 11:55pm (UTC)", "2027-01-01T00:05:00Z", "2027-12-31T23:56Z"],
      ["resets Dec 31 at 8pm (America/Los_Angeles)", "2027-01-01T02:00:00Z", "2027-01-01T04:01Z"],
      ["resets Feb 29 at 4am (UTC)", "2028-02-28T00:00:00Z", "2028-02-29T04:01Z"],
      ["resets Feb 29 at 4am (UTC)", "2026-02-28T00:00:00Z", "unknown"],
      ["try again at Feb 29th, 2026 4:00 AM", "2026-02-28T00:00:00Z", "unknown"],
      ["resets Mar 1 at 4am (UTC)", "2026-02-28T00:00:00Z", "2026-03-01T04:01Z"]
    ])
  })

  it("takes the earlier of two such times when summer time ends, until it has passed", () => {
    // In Berlin, 2:30 came twice on 25 October 2026: at 00:30 and at 01:30 UTC.
    reads([
      ["resets 2:30am (Europe/Berlin)", "2026-10-24T22:00:00Z", "2026-10-25T00:31Z"],
      ["resets 2:30am (Europe/Berlin)", "2026-10-25T01:10:00Z", "2026-10-25T01:31Z"],
      ["resets 2:30am (Europe/Berlin)", "2026-10-25T01:40:00Z", "unknown"],
      ["resets 4am (Europe/Berlin)", "2026-10-24T22:00:00Z", "2026-10-25T03:01Z"],
      ["resets Nov 1 at 1:30am (America/New_York)", "2026-10-31T12:00:00Z", "2026-11-01T05:31Z"]
    ])
  })

  it("moves a time that summer time skips to after the gap", () => {
    // In Berlin, 2:00 to 3:00 did not exist on 29 March 2026.
    reads([
      ["resets 2:30am (Europe/Berlin)", "2026-03-28T22:00:00Z", "2026-03-29T01:31Z"],
      ["resets 3am (Europe/Berlin)", "2026-03-28T22:00:00Z", "2026-03-29T01:01Z"],
      ["resets Mar 8 at 2:30am (America/New_York)", "2026-03-07T12:00:00Z", "2026-03-08T07:31Z"]
    ])
  })

  it("is unknown for what it cannot read", () => {
    for (const text of [
      "resets 2pm (Middle/Earth)",
      "resets 2pm (your time)",
      "resets 2pm PST",
      "resets 2pm (IST)",
      "resets 2pm (GMT+99)",
      "resets 25:00 (UTC)",
      "resets 13pm (UTC)",
      "resets 0am (UTC)",
      "resets 2:75pm (UTC)",
      "resets 2 (UTC)",
      "resets someday at 3pm",
      "resets Foo 3 at 3pm (UTC)",
      "resets Jun 31 at 3pm (UTC)",
      "try again later.",
      "try again at 2026-13-01 at 00:00 UTC",
      "You will regain access on 2026-06-10 at 11:59 UTC",
      ""
    ])
      expect([text, read(text, noon)]).toEqual([text, "unknown"])
  })

  it("is within a day and an hour of every time of day, in every zone", () => {
    const zones = [
      "Asia/Shanghai",
      "America/Recife",
      "Europe/Berlin",
      "America/New_York",
      "Asia/Kolkata",
      "Pacific/Apia"
    ]
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 2 * 366 * 24 * 60 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 59 }),
        fc.constantFrom("am", "pm"),
        (zone, start, hour, minute, half) => {
          const now = DateTime.add(DateTime.unsafeMake("2027-01-01T00:00:00Z"), { minutes: start })
          const text = `resets ${hour}:${String(minute).padStart(2, "0")}${half} (${zone})`
          const at = PrintedReset.read(text, { now, zone: DateTime.zoneUnsafeMakeNamed("UTC") })
          if (Option.isNone(at)) return
          const minutes = DateTime.distance(now, at.value) / 60_000
          expect(minutes).toBeGreaterThan(1)
          expect(minutes).toBeLessThanOrEqual(25 * 60 + 1)
        }
      )
    )
  })
})
