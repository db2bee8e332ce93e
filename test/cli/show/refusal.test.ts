import { describe, expect, it } from "@effect/vitest"
import { JobId } from "charlotte"
import { DateTime, Duration, Effect } from "effect"
import * as renderJob from "../../../src/cli/show/renderJob.js"
import { RefusalTime } from "../../../src/cluster/refusals.js"
import { Job } from "../../../src/http/contract/Api.js"
import { refusalTime } from "../../../src/progress/waiting.js"

const refusedAt = DateTime.unsafeMake("2026-01-31T12:00:00Z")
const zone = DateTime.zoneUnsafeMakeNamed("UTC")

const shown = (refusedBy: Job["refusedBy"], minutes = 1) => {
  const job = new Job({
    ...{
      id: JobId.make("01ARZ3NDEKTSV4RRFFQ69G5FAV"),
      kind: "email",
      status: "pending",
      attempt: 1,
      waitsFor: "permit"
    },
    ...{ config: {}, labels: {}, createdAt: refusedAt, phase: undefined, keys: undefined, units: [], tasks: [] },
    ...(refusedBy === undefined ? {} : { refusedBy, refusedAt })
  })
  const now = DateTime.add(refusedAt, { minutes })
  return renderJob
    .lines(job, [], { now, zone, columns: Infinity })
    .map((line) =>
      line
        .map(({ text }) => text)
        .join("")
        .trim()
    )
    .join("\n")
}

describe("charlotte show, of a job that nodes of a version cannot decode", () => {
  it("says which version that is, since when and why, and what becomes of the job", () => {
    const reason = "invalid job configuration: template: is missing"
    const one = shown({ "5d41": reason })
    expect(one).toMatch(
      /^refused +it cannot be decoded by nodes of version 5d41 \(since 2026-01-31 12:00:00.*\): a node of another version begins it, or it fails at 2026-01-31 12:10:00/m
    )
    expect(one).toMatch(/^because +invalid job configuration: template: is missing$/m)
    const two = shown({ "5d41": reason, "7d79": "to: is missing" }, 11)
    expect(two).toMatch(/nodes of version 5d41 and 7d79 .* or it fails soon$/m)
    expect(two).toMatch(/^because +7d79: to: is missing$/m)
    expect(shown(undefined)).not.toMatch(/refused|because/)
  })

  it.effect("names the time that the nodes give it", () =>
    Effect.map(RefusalTime, (time) => expect(refusalTime).toBe(Duration.toMillis(time)))
  )
})
