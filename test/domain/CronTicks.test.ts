import { describe, expect, it } from "@effect/vitest"
import { Array, DateTime, Either, Option, Schema } from "effect"
import { readFileSync } from "node:fs"
import * as CronTicks from "../../src/domain/CronTicks.js"

const parsed = (cron: string, timeZone: string) => Either.getOrThrowWith(CronTicks.parse(cron, timeZone), Error)

const utc = (text: string) => DateTime.unsafeMake(text)

/** The ticks after a time and not after another one, in UTC. */
const between = (cron: string, timeZone: string, from: string, to: string): ReadonlyArray<string> => {
  const { next } = parsed(cron, timeZone)
  const inRange = (after: DateTime.Utc) => Option.filter(next(after), DateTime.lessThanOrEqualTo(utc(to)))
  return Array.unfold(utc(from), (after) => Option.map(inRange(after), (tick) => [short(tick), tick]))
}

const short = (at: DateTime.DateTime) => DateTime.formatIso(at).replace(":00.000Z", "Z")

/**
 * Made once with version 5.10.6 of the npm package cron-parser: runs of ticks with equal distances, each with its first tick, the
 * minutes between its ticks and their number.
 */
const Table = Schema.parseJson(
  Schema.Array(
    Schema.Struct({
      timeZone: Schema.String,
      cron: Schema.String,
      ticks: Schema.Array(Schema.Tuple(Schema.String, Schema.Number, Schema.Number))
    })
  )
)

const rows = Schema.decodeSync(Table)(readFileSync(new URL("fixtures/cron-parser.json", import.meta.url), "utf8"))

/** cron-parser runs a time that is skipped as much later as clocks are set forward; we run it at once. */
const skipped: { readonly [timeZone: string]: { readonly [theirs: string]: string } } = {
  "Europe/Berlin": { "2027-03-28T01:30Z": "2027-03-28T01:00Z", "2028-03-26T01:30Z": "2028-03-26T01:00Z" },
  "America/New_York": { "2027-03-14T07:30Z": "2027-03-14T07:00Z", "2028-03-12T07:30Z": "2028-03-12T07:00Z" },
  "Australia/Sydney": { "2027-10-02T16:30Z": "2027-10-02T16:00Z", "2028-09-30T16:30Z": "2028-09-30T16:00Z" }
}

describe("the ticks of a cron expression", () => {
  for (const { cron, ticks, timeZone } of rows) {
    it(`equal the ticks of cron-parser in two years of ${cron} in ${timeZone}, except for a time that is skipped`, () => {
      const theirs = ticks.flatMap(([first, step, n]) =>
        Array.makeBy(n, (i) => short(DateTime.add(utc(first), { minutes: i * step })))
      )
      const expected = cron === "30 2 * * *" ? theirs.map((tick) => skipped[timeZone]?.[tick] ?? tick) : theirs
      expect(between(cron, timeZone, "2027-01-01T00:00Z", "2029-01-01T00:00Z")).toEqual(expected)
    })
  }

  const berlin = (cron: string, from: string, to: string) => between(cron, "Europe/Berlin", from, to)

  it("run a time that the beginning of summer time skips at the first instant after it, once", () => {
    const spring = (cron: string) => berlin(cron, "2026-03-28T23:00Z", "2026-03-29T22:00Z")
    expect(spring("30 2 * * *")).toEqual(["2026-03-29T01:00Z"])
    expect(spring("*/15 2 * * *")).toEqual(["2026-03-29T01:00Z"])
    expect(spring("0 1-4 * * *")).toEqual(["2026-03-29T00:00Z", "2026-03-29T01:00Z", "2026-03-29T02:00Z"])
    expect(spring("30 */2 * * *").slice(0, 2)).toEqual(["2026-03-28T23:30Z", "2026-03-29T02:30Z"])
  })

  it("run a time that the end of summer time repeats once, and with a * or a step in minutes or hours twice", () => {
    const autumn = (cron: string) => berlin(cron, "2026-10-24T22:00Z", "2026-10-25T02:30Z")
    expect(autumn("30 2 * * *")).toEqual(["2026-10-25T00:30Z"])
    expect(autumn("0,30 1-3 * * *")).toEqual([
      "2026-10-24T23:00Z",
      "2026-10-24T23:30Z",
      "2026-10-25T00:00Z",
      "2026-10-25T00:30Z",
      "2026-10-25T02:00Z",
      "2026-10-25T02:30Z"
    ])
    expect(autumn("30 * * * *")).toEqual([
      "2026-10-24T22:30Z",
      "2026-10-24T23:30Z",
      "2026-10-25T00:30Z",
      "2026-10-25T01:30Z",
      "2026-10-25T02:30Z"
    ])
    expect(autumn("*/30 2 * * *")).toEqual([
      "2026-10-25T00:00Z",
      "2026-10-25T00:30Z",
      "2026-10-25T01:00Z",
      "2026-10-25T01:30Z"
    ])
    expect(autumn("0 */2 * * *")).toEqual(["2026-10-25T00:00Z", "2026-10-25T01:00Z"])
  })

  it("follow clocks that are set by half an hour, and days that a zone has left out", () => {
    const lordHowe = (from: string, to: string) => between("45 1 * * *", "Australia/Lord_Howe", from, to)
    expect(lordHowe("2026-04-03T16:00Z", "2026-04-05T16:00Z")).toEqual(["2026-04-04T14:45Z", "2026-04-05T15:15Z"])
    expect(between("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00Z", "2026-10-04T00:00Z")).toEqual([
      "2026-10-03T15:30Z"
    ])
    expect(between("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00Z", "2011-12-31T12:00Z")).toEqual([
      "2011-12-30T10:00Z"
    ])
  })

  it("have a latest one in a range, however many or few there are", () => {
    const latest = (cron: string, after: string, until: string) =>
      Option.map(parsed(cron, "Europe/Berlin").latest({ after: utc(after), until: utc(until) }), short)
    expect(latest("* * * * *", "1990-01-01T00:00Z", "2026-10-25T01:30:30Z")).toEqual(Option.some("2026-10-25T01:30Z"))
    expect(latest("0 0 29 2 *", "1990-01-01T00:00Z", "2026-07-01T00:00Z")).toEqual(Option.some("2024-02-28T23:00Z"))
    expect(latest("0 2 * * *", "2026-07-01T00:00Z", "2026-07-02T00:00Z")).toEqual(Option.some("2026-07-02T00:00Z"))
    expect(latest("0 2 * * *", "2026-07-01T00:00Z", "2026-07-01T23:59Z")).toEqual(Option.none())
    expect(latest("0 2 * * *", "2026-07-01T00:00Z", "2026-06-01T00:00Z")).toEqual(Option.none())
  })

  it("are refused for an expression or a zone that does not exist, and for one that never has a tick", () => {
    const problem = (cron: string, timeZone = "Europe/Berlin") => Either.flip(CronTicks.parse(cron, timeZone))
    expect(problem("0 0 30 2 *")).toEqual(Either.right("it has no tick"))
    expect(problem("0 25 * * *")).toMatchObject({ _tag: "Right" })
    expect(problem("0 2 * * *", "Europe/Nowhere")).toEqual(Either.right('no time zone "Europe/Nowhere"'))
  })
})
