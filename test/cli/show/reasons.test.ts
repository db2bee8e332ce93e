/** The reason of a failure is what people read first, wherever they look. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, Option, Schema } from "effect"
import { writeFileSync } from "node:fs"
import * as JobTable from "../../../src/cli/list/JobTable.js"
import * as Printer from "../../../src/cli/logs/Printer.js"
import * as logTail from "../../../src/cli/run/logTail.js"
import * as plainLines from "../../../src/cli/run/plainLines.js"
import { progressEvent } from "../../../src/cli/run/progressEvent.js"
import * as Screen from "../../../src/cli/run/Screen.js"
import * as settledLines from "../../../src/cli/run/settledLines.js"
import * as Summary from "../../../src/cli/run/Summary.js"
import * as SummaryText from "../../../src/cli/run/SummaryText.js"
import * as renderJob from "../../../src/cli/show/renderJob.js"
import { nothing } from "../../../src/cli/summary/Morning.js"
import * as morningText from "../../../src/cli/summary/render.js"
import { Output } from "../../../src/cli/terminal/Output.js"
import * as StyledLine from "../../../src/cli/terminal/StyledLine.js"
import { Job, JobTask, JobUnit, ListedJob } from "../../../src/http/contract/Job.js"
import { eventText } from "../../../src/progress/eventText.js"
import * as why from "../../../src/progress/reason.js"
import { ofEvents } from "../../../src/progress/applyEvent.js"
import { attention } from "../../../src/web/job/attention.js"
import * as recordReader from "../../../src/web/job/log/recordReader.js"
import { ofRecord } from "../../../src/web/jobs/lastLine.js"
import { job as decodeJob, listedJob as decodeListed } from "../../../src/web/api/models.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { run } from "../run/ended.js"
import { commit, events, modelOf, noon, step } from "../run/scenario.js"
import { errorOf, failures, file, recorded, recordedBefore } from "./failures.js"

const columns = 80
const now = DateTime.unsafeMake(noon + 90_000)
const plain = (lines: ReadonlyArray<StyledLine.Line>): ReadonlyArray<string> =>
  lines.map((line) => StyledLine.paint(line, false).trimStart())

const recordOf = (reason: string, said: string | undefined) => {
  const { error, message } = errorOf(reason)
  const work = {
    units: [new JobUnit({ unit: "api", position: 0, dependsOn: [], state: "failed", reason: message })],
    tasks: [
      new JobTask({
        unit: "api",
        task: 1,
        position: 0,
        title: "Add it",
        state: "failed",
        failures: 1,
        calls: 1,
        notes: [],
        reason,
        said
      })
    ]
  }
  const own = run("failed", { error })
  return {
    job: new Job({ ...own, ...work, phase: undefined, keys: undefined }),
    listed: new ListedJob({ ...own, phase: undefined })
  }
}

/** The first line after the one that names the task. */
const after = (lines: ReadonlyArray<string>, name: RegExp): string =>
  lines.slice(lines.findIndex((line) => name.test(line)) + 1).join(" ")

const zone = DateTime.zoneMakeOffset(0)

/** Everything that is shown of a failed job, as its text from the reason on. */
const views = (reason: string, said: string | undefined) => {
  const { job, listed } = recordOf(reason, said)
  const shown = plain(renderJob.lines(job, [], { now, zone, columns }))
  const summary = plain(SummaryText.lines(Summary.of({ run: job, work: job }, now), columns))
  const list = plain(JobTable.lines([listed], now, columns))
  const page = ofRecord(decodeListed(Schema.encodeSync(ListedJob)(listed), ""), noon).text
  const text = {
    show: after(shown, /^✗ 1 Add it/),
    summary: after(summary, /^✗ api 1/),
    page: page.replace("api 1: ", "")
  }
  const start = list[0]?.indexOf("REASON") ?? 0
  const morning = { ...nothing, needs: [listed], failed: [{ job: listed, retry: undefined }] }
  const night = plain(morningText.lines(morning, { now, since: DateTime.subtract(now, { days: 1 }), zone, columns }))
  // After its name, a job that needs a person says why.
  const needs = after(night, /^✗ /).replace(/^api 1: /, "")
  return {
    text: { ...text, needs },
    all: [...shown, ...summary, ...list, ...night, page],
    cell: list[1]?.slice(start).replace(/^api 1: /, "") ?? ""
  }
}

const raw = /"type"|session_id|tool_use|is_error|\\u001b/
// oxlint-disable-next-line eslint/no-control-regex -- these are the characters that a terminal obeys
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/

/** The output as `charlotte logs` prints it on a terminal. */
const printed = (output: string) =>
  Effect.gen(function* () {
    let text = ""
    const terminal = Output.of({
      write: (piece) =>
        Effect.sync(() => void (text += typeof piece === "string" ? piece : Buffer.from(piece).toString())),
      error: () => Effect.void,
      isTerminal: true,
      colours: false,
      size: Effect.succeed({ columns, rows: 24 })
    })
    const none = { json: false, text: false, raw: false, tail: Option.none(), grep: Option.none(), titles: false }
    const printer = yield* Effect.provideService(Printer.make(none), Output, terminal)
    const log = {
      path: file.file,
      unit: "api",
      task: 1,
      number: 1,
      attempt: "1",
      what: "agent",
      size: 0,
      at: 0,
      tail: []
    }
    yield* printer.print(log, Buffer.from(output))
    yield* printer.end
    return text
  })

/** Enough of a reason to know it. */
const start = (text: string): string => text.slice(0, 40)

describe("the reason of a failure", () => {
  it("is known for 40 failures", () => {
    expect(failures).toHaveLength(40)
  })

  it.each(failures)("is the first line shown at 80 columns: $name", (failure) => {
    const { agentReason, gateReason, reason, said } = recorded(failure)
    expect(why.text(reason).startsWith(failure.reason)).toBe(true)
    const { all, cell, text } = views(reason, said)
    for (const shown of Object.values(text)) expect(shown.startsWith(start(failure.reason))).toBe(true)
    // A cell of the list is cut to its column.
    expect(failure.reason.startsWith(cell.split("…")[0]?.trimEnd().slice(0, failure.reason.length) ?? "?")).toBe(true)
    const mention = failure.said === undefined ? "" : `the agent said  ${start(failure.said)}`
    expect(said ?? "").toContain(failure.said ?? "")
    for (const shown of [text.show, text.summary]) expect(shown).toContain(mention)
    for (const line of all) {
      expect(line).not.toMatch(raw)
      expect(line).not.toMatch(control)
    }

    const steps = [
      step(0, "api 1", "task.started", { title: "Add it", attempt: 1 }),
      step(0, "api 1", "task.agent.started", { agent: "claude", log: file.file }),
      step(1, "api 1", "task.agent.ended", { ...(agentReason && { reason: agentReason }), said, log: file }),
      ...(gateReason === undefined
        ? []
        : [
            step(1, "api 1", "task.gate.started", { command: "npm test", log: file.file }),
            step(2, "api 1", "task.gate.failed", { command: "npm test", reason: gateReason, log: file })
          ])
    ]
    const screen = plain(Screen.render(modelOf(steps), { size: { columns, rows: 24 }, now: noon + 3_000, tail: [] }))
    const first = failure.reason.replace(/^the (agent|gate) (failed: )?/, (_, who: string) => `${who} failed: `)
    expect(screen.find((line) => line.includes("failed: "))).toContain(
      `api 1  ${first}`.slice(0, failure.gate === undefined ? 40 : "api 1  gate failed: exited with code 1".length)
    )
    const ended = [
      ...steps,
      step(3, "api 1", "task.failed", { attempts: 1, reason, log: file }),
      step(3, "api", "unit.failed", { reason: "task 1 failed", task: 1 })
    ]
    for (const event of events(ended)) {
      const model = modelOf(ended)
      const lines = [
        ...Option.toArray(plainLines.line(event, zone)),
        ...settledLines.lines(event, { model, tail: [], columns, zone })
      ]
      for (const line of [eventText(progressEvent(event)).text, ...plain(lines)]) {
        expect(line).not.toMatch(raw)
        expect(line).not.toMatch(control)
      }
    }
    const { job } = recordOf(reason, said)
    const onPage = attention(
      decodeJob(Schema.encodeSync(Job)(job), ""),
      ofEvents(events(ended).map(progressEvent)),
      noon
    )
    expect(onPage[0]?.reason?.startsWith(start(failure.reason))).toBe(true)
    expect(onPage[0]?.said).toBe(said)
  })

  it.each(failures)("has no raw record, even if an earlier version recorded one: $name", (failure) => {
    const { all, text } = views(recordedBefore(failure), undefined)
    for (const shown of Object.values(text)) {
      expect(shown).toMatch(failure.gate === undefined ? /^the agent exited with code/ : /^the gate exited with code 1/)
    }
    for (const line of all) expect(line).not.toMatch(raw)
    for (const line of all) expect(line).not.toMatch(control)
  })

  for (const failure of failures)
    it.scoped(`has no raw record beside it in what is shown of the output: ${failure.name}`, () =>
      Effect.gen(function* () {
        for (const output of [failure.output, failure.gate ?? ""]) {
          const size = Buffer.byteLength(output)
          const path = yield* TemporaryDirectory.file("output.log")
          writeFileSync(path, output)
          const reader = recordReader.make()
          const onPage = [reader.read(Buffer.from(output)), reader.flush()].map((bytes) =>
            Buffer.from(bytes).toString()
          )
          const shown = [
            ...(yield* logTail.read({ file: path, from: 0, to: size }, Screen.maxTail)),
            (yield* logTail.latest({ file: path, from: 0, to: size })) ?? "",
            ...onPage,
            yield* printed(output)
          ]
          for (const text of shown) expect(text).not.toMatch(raw)
        }
      }).pipe(Effect.provide(NodeFileSystem.layer))
    )

  it("is what the agent said, in records of an earlier version that end with its result", () => {
    const [credit] = failures
    expect(credit && why.text(recordedBefore(credit))).toBe("the agent exited with code 1: Credit balance is too low")
  })

  it("of the attempt before is kept when a retry worked", () => {
    const done = {
      unit: "api",
      task: 1,
      position: 0,
      title: "Add it",
      state: "completed",
      calls: 2,
      notes: []
    } as const
    const work = {
      units: [new JobUnit({ unit: "api", position: 0, dependsOn: [], state: "merged", commit })],
      tasks: [new JobTask({ ...done, failures: 1, commit, reason: "the gate exited with code 1: 1 failed" })]
    }
    const job = new Job({ ...run("completed"), ...work, phase: undefined, keys: undefined })
    const shown = plain(renderJob.lines(job, [], { now, zone, columns }))
    expect(after(shown, /^✓ 1 Add it/)).toMatch(/^attempt 1 failed: the gate exited with code 1: 1 failed/)
    const summary = plain(SummaryText.lines(Summary.of({ run: job, work }, now), columns))
    expect(summary).toContain("! api 1  done after a retry; attempt 1 failed: the gate exited with code 1:")
  })
})
