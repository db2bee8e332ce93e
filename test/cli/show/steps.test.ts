import { describe, expect, it } from "@effect/vitest"
import { JobId, Run } from "charlotte"
import { DateTime } from "effect"
import * as renderJob from "../../../src/cli/show/renderJob.js"
import { RecordedChild } from "../../../src/domain/RecordedChild.js"
import { RecordedStep } from "../../../src/domain/RecordedStep.js"
import { Job } from "../../../src/http/contract/Api.js"

const now = DateTime.unsafeMake("2026-01-31T12:00:00Z")
const id = JobId.make("01ARZ3NDEKTSV4RRFFQ69G5FAV")
const zone = DateTime.zoneUnsafeMakeNamed("UTC")

const step = (seq: number, name: string, rest: Partial<RecordedStep> = {}) =>
  new RecordedStep({ seq, name, jobId: id, attempt: 1, at: now, millis: 1_200, ok: true, ...rest })

const drawn = (steps: ReadonlyArray<RecordedStep>, columns: number) => {
  const job = new Job({
    ...{ id, kind: "order", status: "running", attempt: 2, config: {}, labels: {}, createdAt: now, startedAt: now },
    ...{ phase: undefined, keys: undefined, units: [], tasks: [], steps }
  })
  return renderJob.lines(job, [], { now, zone, columns }).map((line) => line.map(({ text }) => text).join(""))
}

const shown = (steps: ReadonlyArray<RecordedStep>) => drawn(steps, Infinity).map((line) => line.trim())

describe("charlotte show, of a job with steps", () => {
  it("has a line for each, with its attempt and how long it took", () => {
    expect(shown([step(1, "reserve"), step(2, "charge", { ok: false, attempt: 2, millis: 40 })])).toEqual(
      expect.arrayContaining(["✓ reserve  1.2 s", "✗ charge  attempt 2  40 ms"])
    )
  })

  it("aligns them to the right, a column before the edge of a terminal that is no wider than 100", () => {
    for (const [columns, width] of [
      [60, 59],
      [200, 99]
    ] as const) {
      const rows = drawn([step(1, "reserve"), step(2, "charge", { attempt: 2 })], columns)
      const ends = rows.filter((row) => row.includes("1.2 s")).map((row) => row.length)
      expect(ends, `${columns} columns`).toEqual([width, width])
    }
  })

  it("counts the earlier ones that it leaves out", () => {
    expect(shown([step(42, "mail-42")])).toEqual(expect.arrayContaining(["· 41 earlier steps", "✓ mail-42  1.2 s"]))
  })
})

describe("charlotte show, of a job with a parent and children", () => {
  it("names its parent, and has a line for each child with its job", () => {
    const parent = JobId.make("01ARZ3NDEKTSV4RRFFQ69G5FAA")
    const child = (name: string, status?: RecordedChild["status"]) =>
      new RecordedChild({ name, jobId: id, kind: "page", onParentStop: "stop", ...(status && { status }) })
    const job = new Job({
      ...{ id, kind: "book", status: "parked", attempt: 2, config: {}, labels: {}, createdAt: now, startedAt: now },
      ...{ phase: undefined, keys: undefined, units: [], tasks: [], parent, waitsFor: "child" },
      parked: new Run.Parked({ reason: "waits for a child", children: 1 }),
      children: [child("page 1", "completed"), child("page 2", "running"), child("page 0")]
    })
    const text = renderJob
      .lines(job, [], { now, zone, columns: Infinity })
      .map((line) => line.map(({ text }) => text).join(""))
      .join("\n")
    expect(text).toMatch(new RegExp(`child of +job ${parent}`))
    expect(text).toMatch(/waits +for a child/)
    expect(text).toMatch(new RegExp(`✓ page 1 +page +completed +${id}`))
    expect(text).toMatch(new RegExp(`▸ page 2 +page +running +${id}`))
    expect(text).toMatch(new RegExp(`· page 0 +page +pruned +${id}`))
    expect(text).not.toContain("charlotte resume")
  })
})
