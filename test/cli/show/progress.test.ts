import { describe, expect, it } from "vitest"
import { JobId, Run } from "charlotte"
import { DateTime } from "effect"
import * as JobTable from "../../../src/cli/list/JobTable.js"
import * as renderJob from "../../../src/cli/show/renderJob.js"
import type * as StyledLine from "../../../src/cli/terminal/StyledLine.js"
import { Job, JobProgress, ListedJob } from "../../../src/http/contract/Api.js"

const now = DateTime.unsafeMake("2026-01-31T12:00:00Z")
const zone = DateTime.zoneUnsafeMakeNamed("UTC")
const run = {
  ...{ id: JobId.make("01ARZ3NDEKTSV4RRFFQ69G5FAV"), kind: "import", status: "running" as const, attempt: 1 },
  ...{ config: {}, labels: {}, createdAt: now, startedAt: now, phase: undefined }
}

const text = (lines: ReadonlyArray<StyledLine.Line>) =>
  lines
    .map((line) =>
      line
        .map(({ text }) => text)
        .join("")
        .trim()
    )
    .join("\n")

const table = (progress: JobProgress, kind = "import") =>
  text(JobTable.lines([new ListedJob({ ...run, kind, progress })], now, 120))

describe("the progress that a job has reported", () => {
  it("is a line of charlotte show", () => {
    const progress = new Run.Progress({ done: 59, total: 100, text: "resizing \u001b[2J images" })
    const job = new Job({ ...run, keys: undefined, units: [], tasks: [], progress })
    expect(text(renderJob.lines(job, [], { now, zone, columns: Infinity }))).toMatch(
      /^progress +59 of 100 \(59 %\), resizing images$/m
    )
  })

  it("is a column of charlotte jobs, which is named after tasks if there is nothing else", () => {
    const reported = table(new JobProgress({ done: 59, total: 100, text: "resizing" }))
    expect(reported).toMatch(/ PROGRESS +AGE/)
    expect(reported).toMatch(/ 59\/100 /)
    const counts = { pending: 1, running: 0, completed: 2, failed: 0, skipped: 0 }
    const ofTasks = table(new JobProgress({ done: 2, total: 3, ...counts }), "tasks")
    expect(ofTasks).toMatch(/ TASKS +AGE/)
    expect(ofTasks).toMatch(/ 2\/3 /)
  })
})
