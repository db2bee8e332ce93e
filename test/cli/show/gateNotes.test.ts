/** What is known about gates comes first, wherever a job is shown: it says how much "done" means. */
import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, Option, Schema } from "effect"
import * as Screen from "../../../src/cli/run/Screen.js"
import * as settledLines from "../../../src/cli/run/settledLines.js"
import * as Summary from "../../../src/cli/run/Summary.js"
import * as SummaryText from "../../../src/cli/run/SummaryText.js"
import * as renderJob from "../../../src/cli/show/renderJob.js"
import * as Morning from "../../../src/cli/summary/Morning.js"
import * as render from "../../../src/cli/summary/render.js"
import * as StyledLine from "../../../src/cli/terminal/StyledLine.js"
import { TaskRecord, Work } from "../../../src/domain/Work.js"
import { Job, JobTask, JobUnit, ListedJob } from "../../../src/http/contract/Job.js"
import { job as decodeJob } from "../../../src/web/api/models.js"
import { ofRecord } from "../../../src/progress/applyPlan.js"
import { attention } from "../../../src/web/job/attention.js"
import { allDone, run } from "../run/ended.js"
import { events, modelOf, noon, step, steps } from "../run/scenario.js"

const green = { _tag: "greenBefore" } as const
const line = "! gates of 2 of 2 tasks passed before any work"
const zone = DateTime.zoneMakeOffset(0)
const now = DateTime.unsafeMake(noon + 100_000)

const work = new Work({
  units: allDone.units,
  tasks: allDone.tasks.map((task) =>
    task.state === "skipped" ? task : new TaskRecord({ ...task, notes: ["the agent moved main", green] })
  )
})
const job = new Job({
  ...run("completed"),
  units: work.units.map((unit) => new JobUnit(unit)),
  tasks: work.tasks.map((task) => new JobTask(task)),
  phase: undefined,
  keys: undefined
})

const plain = (lines: ReadonlyArray<StyledLine.Line>) => lines.map((line) => StyledLine.paint(line, false).trim())

describe("notes on gates", () => {
  it("come first in the summary at the end of a run", () => {
    const lines = plain(SummaryText.lines(Summary.of({ run: job, work }, now), 80))
    expect(lines.slice(1, 4)).toEqual(["", line, ""])
    expect(lines).toContain("! silk 1  the agent moved main")
    expect(lines.filter((line) => line.includes("before any work"))).toHaveLength(1)
  })

  it("come first of a job that is shown, and of each of its tasks", () => {
    const lines = plain(renderJob.lines(job, [], { now, zone, columns: 80 }))
    expect(lines.slice(1, 4)).toEqual(["", line, ""])
    const task = lines.findIndex((line) => line.startsWith("✓ 1 Task 1 of silk"))
    expect(lines.slice(task + 1, task + 3)).toEqual(["! the gate passed before any work", "! the agent moved main"])
  })

  it.effect("are under the job in the summary of a night", () =>
    Effect.gen(function* () {
      const listed = new ListedJob({ ...run("completed"), labels: { title: "Words" }, phase: undefined })
      const morning = yield* Morning.read(
        {
          list: () => Effect.succeed({ jobs: [listed], next: undefined }),
          get: () => Effect.succeed(job)
        },
        { since: DateTime.unsafeMake(noon), isWanted: () => true }
      )
      const lines = render.lines(Option.getOrThrow(morning), { now, since: now, zone, columns: 80 })
      const shown = plain(lines)
      expect(shown[shown.findIndex((line) => line.includes("Words")) + 1]).toBe(line)
    })
  )

  it("are one line of the live view, which no task repeats", () => {
    const noted = [
      ...steps("/log").filter(({ at }) => at <= 5),
      step(5, "silk 1", "task.noted", { note: green }),
      step(5, "words 2", "task.noted", { note: green })
    ]
    const model = modelOf(noted)
    const screen = plain(Screen.render(model, { size: { columns: 80, rows: 24 }, now: noon + 5_000, tail: [] }))
    expect(screen.slice(0, 3)).toEqual(["", "! gates of 2 of 4 tasks passed before any work", ""])
    const small = Screen.render(model, { size: { columns: 80, rows: 8 }, now: noon + 5_000, tail: [] })
    expect(small.length).toBeLessThan(8)
    const kept = events(noted).flatMap((event) =>
      event.type === "task.noted" ? settledLines.lines(event, { model, tail: [], columns: 80, zone }) : []
    )
    expect(kept).toEqual([])
  })

  it("come first on the page, also while the job runs", () => {
    const record = decodeJob(Schema.encodeSync(Job)(job), "")
    const messages = attention(record, ofRecord(record), noon)
    expect(messages[0]).toEqual({ tone: "warn", text: line.slice(2) })
    expect(messages.map(({ tone }) => tone)).toContain("good")
    expect(attention({ ...record, status: "running" }, ofRecord(record), noon)[0]).toEqual(messages[0])
  })
})
