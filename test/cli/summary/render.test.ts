import { describe, expect, it } from "@effect/vitest"
import { DateTime } from "effect"
import { type Morning, nothing } from "../../../src/cli/summary/Morning.js"
import * as render from "../../../src/cli/summary/render.js"
import * as StyledLine from "../../../src/cli/terminal/StyledLine.js"
import { JobId } from "../../../src/domain/JobId.js"
import { Parked } from "../../../src/domain/Run.js"
import type { RunStatus } from "../../../src/domain/RunStatus.js"
import { ListedJob } from "../../../src/http/contract/Job.js"
import { toJson } from "../../../src/internal/Json.js"
import { TasksFailed } from "../../../src/tasks/run/errors.js"
import { branch, diff, run } from "../run/ended.js"
import { commit, jobId, noon } from "../run/scenario.js"

const now = DateTime.unsafeMake(noon + 6 * 3_600_000)

const job = (name: string, status: RunStatus, more: Parameters<typeof run>[1] = {}, fields: object = {}) =>
  new ListedJob({
    ...run(status, more),
    ...(status === "completed" || status === "failed" ? {} : { endedAt: undefined }),
    labels: { title: name },
    ...fields
  })

const limit = new Parked({
  reason: "claude is at its usage limit: You've hit your limit",
  until: DateTime.unsafeMake(noon + 8 * 3_600_000)
})
const login = new Parked({ reason: "claude is not logged in: Please run /login", signal: "charlotte.resume" })

const failure = new TasksFailed({
  branch,
  diff,
  failures: [
    { unit: "silk", task: 2, reason: "task 2 (Rings (all)) failed 3 times: the gate exited with code 1: 1 failed" },
    { unit: "frame", reason: "no" }
  ],
  blocked: []
})

const broken = job("Rings\u001b[2J", "failed", { error: toJson(failure) })
const asks = job("Login", "parked", {}, { parked: login, waitsFor: "signal" })

const text = (morning: Partial<Morning>, columns = 80) =>
  render
    .lines(
      { ...nothing, ...morning },
      { now, since: DateTime.subtract(now, { days: 1 }), zone: DateTime.zoneMakeOffset(0), columns }
    )
    .map((line) => StyledLine.paint(line, false))
    .join("\n")

describe("the summary of a night", () => {
  it("has what needs a person first, with the reason and the command, and then what happened", () => {
    const result = { target: "main", branch, diff, landed: commit, commits: 3 }
    const morning = {
      needs: [asks, broken],
      completed: [job("Words", "completed", { result }), job("Draft", "completed", { result: {} })],
      failed: [{ job: broken, retry: undefined }],
      waiting: [job("Limit", "parked", {}, { parked: limit, waitsFor: "time" })],
      running: [job("Busy", "running")],
      pending: []
    }
    expect(text(morning)).toBe(`Needs you

  ! Login  parked, begun 6 h ago
    claude is not logged in: Please run /login
    charlotte resume ${jobId}

  ✗ Rings  failed 5 h ago
    silk 2: the gate exited with code 1: 1 failed; and 1 more unit failed
    charlotte retry ${jobId}

Since 2024-12-31 18:00
  ✓ landed   Words  12:01 on main
  ✓ done     Draft  12:01
  ✗ failed   Rings  12:01
  · waits    Limit  until 2025-01-01 20:00:00 (in 2 h): claude is at its usage …
  ▸ running  Busy`)
  })

  it("says that nothing needs anyone, and names the retry of a failed job", () => {
    const retry = job("Again", "completed")
    expect(text({ failed: [{ job: broken, retry }] })).toBe(
      `Nothing needs you\n\nSince 2024-12-31 18:00\n  · failed   Rings  12:01, done by its retry ${jobId}`
    )
    expect(text({})).toContain("\n  nothing has ended, and nothing runs or waits")
  })

  it("breaks reasons between words, so that no line is wider than the terminal", () => {
    const lines = text({ needs: [asks, broken] }, 60).split("\n")
    expect(lines).toContain("    silk 2: the gate exited with code 1: 1 failed; and 1")
    expect(lines.filter((line) => line.length > 60)).toEqual([])
  })

  it("names the units of a failed job that have landed", () => {
    const error = { _tag: "TasksFailed", message: "m", target: "main", landed: ["a", "c"] }
    const failed = job("Rings", "failed", { error })
    expect(text({ failed: [{ job: failed, retry: undefined }] })).toContain("\n  ✗ failed   Rings  12:01, landed a, c")
  })

  it("names the command that lands what has not landed", () => {
    const kept = job("Draft", "completed", { result: { branch } })
    expect(text({ completed: [kept], unlanded: new Set([kept.id]) })).toContain(
      `\n  ✓ done     Draft  12:01, has not landed\n    charlotte land ${jobId}`
    )
  })

  it("names beside a failed job the command that lands what it has done, and says once that has landed", () => {
    const failed = { needs: [broken], failed: [{ job: broken, retry: undefined }] }
    const offered = text({ ...failed, unlanded: new Set([broken.id]) })
    expect(offered).toContain(`\n    charlotte retry ${jobId}\n    charlotte land ${jobId}\n`)
    expect(offered.split("charlotte land")).toHaveLength(2)
    const by = JobId.make("01ARZ3NDEKTSV4RRFFQ69G5ZZZ")
    const landed = text({ ...failed, landedAs: new Map([[broken.id, by]]) })
    expect(landed).toContain(`\n    what is done has landed, by job ${by}\n    charlotte retry ${jobId}\n`)
    expect(landed).toContain(`\n  ✗ failed   Rings  12:01, landed by ${by}`)
  })

  it("adds up what the jobs of each day have cost, and what the others have cost so far", () => {
    const cost = (usd: number, input: number) => ({ cost: { input, cached: 0, output: 500, usd } })
    const spending = {
      ended: [
        job("Words", "completed", {}, cost(1.2, 1_000)),
        job("Rings", "failed", {}, cost(0.3, 2_000)),
        job("Draft", "completed", {}, { endedAt: DateTime.unsafeMake(noon - 24 * 3_600_000), ...cost(2, 0) }),
        job("Free", "completed")
      ],
      unfinished: [job("Limit", "parked", {}, cost(0.05, 100))],
      isPartial: false
    }
    const lines = `
  2025-01-01  $1.50, 4.0k tokens (3.0k input, 0 cached, 1.0k output), 2 jobs
  2024-12-31  $2.00, 500 tokens (0 input, 0 cached, 500 output), 1 job
  so far      $0.05, 600 tokens (100 input, 0 cached, 500 output), 1 job, not ended yet`
    expect(text({ spending })).toContain(`\n\nCost: estimate, at API prices${lines}`)
    expect(text({ spending: { ...spending, isPartial: true } })).toContain(
      `\n\nCost of the latest jobs: estimate, at API prices${lines}`
    )
  })

  it("counts what it does not show, and never cuts a command", () => {
    const many = text({ needs: Array.from({ length: 15 }, () => broken) }, 30)
    expect(many).toContain("  and 3 more jobs: charlotte jobs")
    expect(many).toContain(`    charlotte retry ${jobId}`)
  })
})
