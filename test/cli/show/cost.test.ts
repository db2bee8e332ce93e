import { describe, expect, it } from "@effect/vitest"
import { DateTime } from "effect"
import { JobId, Run } from "charlotte"
import { Job, JobTask, JobUnit, ListedJob } from "../../../src/http/contract/Api.js"
import * as JobTable from "../../../src/cli/list/JobTable.js"
import * as Summary from "../../../src/cli/run/Summary.js"
import * as SummaryText from "../../../src/cli/run/SummaryText.js"
import * as renderJob from "../../../src/cli/show/renderJob.js"
import type * as StyledLine from "../../../src/cli/terminal/StyledLine.js"
import * as remedy from "../../../src/progress/remedy.js"

const now = DateTime.unsafeMake("2026-01-31T12:00:00Z")
const id = JobId.make("01ARZ3NDEKTSV4RRFFQ69G5FAV")

const cost = (usd: number) => ({ input: 1_200, cached: 10_000, output: 800, usd })

const own = {
  id,
  kind: "tasks",
  attempt: 1,
  config: {},
  labels: {},
  priority: 0,
  createdAt: now,
  startedAt: now,
  cost: { input: 2_400, cached: 20_000, output: 1_600, usd: 1.61, isApproximate: true }
}

const taskOf = (number: number, state: "completed" | "running", usd: number) =>
  new JobTask({
    unit: "api",
    task: number,
    position: number - 1,
    title: "Add it",
    state,
    failures: 0,
    calls: 1,
    notes: [],
    commit: "a",
    cost: cost(usd)
  })

const parked = new Run.Parked({
  reason: "the job has reached its limit",
  signal: "charlotte.resume",
  limits: { usd: 1.5 }
})
const job = new Job({
  ...own,
  status: "parked",
  parked,
  phase: undefined,
  keys: undefined,
  retriesCost: cost(7),
  units: [new JobUnit({ unit: "api", position: 0, dependsOn: [], state: "running" })],
  tasks: [taskOf(1, "completed", 0.4), taskOf(2, "running", 1.21)]
})
const listed = new ListedJob({ ...own, status: "parked", parked, phase: undefined })

const plain = (lines: ReadonlyArray<StyledLine.Line>) => lines.map((line) => line.map(({ text }) => text).join(""))

describe("what a job has cost", () => {
  it("is shown of the job, its units and its tasks, with the command that continues it at its limit", () => {
    const shown = plain(renderJob.lines(job, [], { now, zone: DateTime.zoneMakeOffset(0), columns: Infinity })).join(
      "\n"
    )
    expect(shown).toContain(
      "\n  cost     $1.61, 24.0k tokens (2.4k input, 20.0k cached, 1.6k output); estimate, at API prices\n"
    )
    expect(shown).toContain("\n  in all   $7.00 with the jobs that it retries or that retry it\n")
    expect(shown).toMatch(/▸ api {2}running, \$1\.61/)
    expect(shown).toMatch(/✓ 1 Add it {2}\$0\.40/)
    expect(shown).toMatch(/▸ 2 Add it {2}\$1\.21/)
    expect(shown).toContain(`charlotte resume ${id} --usd 3`)
  })

  it("is in the summary of the job", () => {
    const summary = plain(SummaryText.lines(Summary.of({ run: job, work: job }, now), Infinity)).join("\n")
    expect(summary).toContain("cost     $1.61")
    expect(summary).toContain(`continue with  charlotte resume ${id} --usd 3`)
  })

  it("is in the list of jobs where that is wanted", () => {
    const [titles, row] = plain(JobTable.lines([listed], now, Infinity, { withCost: true }))
    expect([titles, row]).toEqual([
      expect.stringMatching(/ COST {2}TOKENS /),
      expect.stringMatching(/ ~\$1\.61 +24\.0k /)
    ])
    expect(plain(JobTable.lines([listed], now, Infinity)).join("\n")).not.toMatch(/COST|\$/)
  })

  it("is no reason to resume a job with less than it has spent", () => {
    expect(remedy.commandFor(listed)).toBe(`charlotte resume ${id} --usd 3`)
  })
})
